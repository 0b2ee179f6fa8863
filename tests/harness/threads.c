/* Threads that cannot start. The tests have it loaded before a program's own libraries (LD_PRELOAD).
 *
 *   THREAD_FAIL=N    the thread number N cannot start, as when the system has too many
 *   THREAD_FAIL=N+   nor can any that follows
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *with, void *(*run)(void *), void *about) {
    static long count;
    char *end = "";
    const char *fail = getenv("THREAD_FAIL");
    long at = fail ? strtol(fail, &end, 10) : 0;
    long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (at && (number == at || (*end == '+' && number > at))) return EAGAIN;
    __typeof__(&pthread_create) real = (__typeof__(&pthread_create))dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, with, run, about);
}
