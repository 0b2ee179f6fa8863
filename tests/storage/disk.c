/* A disk that fails, or that remembers. The tests have it loaded before a program's own libraries
 * (LD_PRELOAD); there it stands between the program and every call that changes a file below
 * DISK_FOLDER.
 *
 *   DISK_TRACE=FILE   writes each of these calls there, in order, with its bytes; and what is sent on
 *                     sockets and written to standard output, for that is what people are shown.
 *   DISK_FAIL=N:E:M   the call number N fails with errno E. M is `once`; or `half`: a write that is half
 *                     done, and the rest of it fails; or `ever`: all that follow fail, too, until there
 *                     is a file DISK_WELL.
 *   DISK_SLOW=MS      each fsync takes so long, until there is a file DISK_WELL.
 *
 * It is C because a library that is loaded so has to define the C library's own functions. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1, fail_error, calls;
static long fail_at, slow;
static enum { NEVER, ONCE, HALF, EVER } mode;
static const char *folder, *well;
static size_t folder_length;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    char kind[8] = "";
    const char *fail = getenv("DISK_FAIL"), *file = getenv("DISK_TRACE"), *wait = getenv("DISK_SLOW");
    well = getenv("DISK_WELL");
    slow = wait ? atol(wait) : 0;
    if (fail && sscanf(fail, "%ld:%d:%7s", &fail_at, &fail_error, kind) == 3)
        mode = kind[0] == 'o' ? ONCE : kind[0] == 'h' ? HALF : EVER;
    if (file) trace = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    folder = getenv("DISK_FOLDER"); /* last: from now on calls are looked at */
    folder_length = folder ? strlen(folder) : 0;
}

/* Whether a path is below the folder, or the folder itself; it may be relative to where we are. */
static int is_below(const char *path, char *whole) {
    int length = 0;
    if (!folder) return 0;
    if (path[0] != '/') {
        if (!getcwd(whole, PATH_MAX)) return 0;
        length = strlen(whole);
        whole[length++] = '/';
    }
    snprintf(whole + length, PATH_MAX - length, "%s", path);
    return !strncmp(whole, folder, folder_length) && (whole[folder_length] == '/' || !whole[folder_length]);
}

/* Whether a descriptor is of a file below the folder; which one. */
static int is_ours(int fd, struct stat *found) {
    char link[40], path[PATH_MAX], whole[PATH_MAX];
    if (!folder || fd == trace || fstat(fd, found)) return 0;
    if (!S_ISREG(found->st_mode) && !S_ISDIR(found->st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path, whole);
}

/* Writes down what was done: a line, and the bytes that belong to it. */
static void note(const char *line, const void *bytes, size_t length) {
    int before = errno;
    struct iovec parts[2] = {{(void *)line, strlen(line)}, {(void *)bytes, length}};
    if (trace >= 0) {
        pthread_mutex_lock(&lock);
        if (REAL(writev)(trace, parts, 2) < 0) abort();
        pthread_mutex_unlock(&lock);
    }
    errno = before;
}

static int is_well(void) { return well && !access(well, F_OK); }

/* Counts a call, and says whether it has to fail, with errno set. */
static int fails(void) {
    char line[40];
    if (mode == NEVER) return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    /* What was half done goes on to fail. */
    int hit = mode == EVER ? call >= fail_at && !is_well()
                           : call == fail_at + (mode == HALF);
    if (!hit) return 0;
    snprintf(line, sizeof line, "E %ld\n", call);
    note(line, 0, 0);
    errno = fail_error;
    return 1;
}

static int is_half(void) { return mode == HALF && __atomic_load_n(&calls, __ATOMIC_SEQ_CST) == fail_at; }

/* --- Names --- */

static int opens(const char *path, int flags, mode_t rights) {
    char whole[PATH_MAX], line[PATH_MAX + 60];
    struct stat found;
    int (*real_open)(const char *, int, ...) = REAL(open);
    if (!is_below(path, whole)) return real_open(path, flags, rights);
    if (fails()) return -1;
    int is_new = (flags & O_CREAT) && access(whole, F_OK);
    int fd = real_open(path, flags, rights);
    if (fd >= 0 && is_new && !fstat(fd, &found)) {
        snprintf(line, sizeof line, "C %lu %s\n", found.st_ino, whole);
        note(line, 0, 0);
    } else if (fd >= 0 && (flags & O_TRUNC) && !fstat(fd, &found)) {
        snprintf(line, sizeof line, "T %lu 0\n", found.st_ino);
        note(line, 0, 0);
    } else {
        note("O 0\n", 0, 0);
    }
    return fd;
}

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...) {                     \
        va_list more;                                                \
        va_start(more, flags);                                       \
        mode_t rights = flags & O_CREAT ? va_arg(more, mode_t) : 0;  \
        va_end(more);                                                \
        return opens(path, flags, rights);                           \
    }
OPEN(open)
OPEN(open64)

static int names(const char *what, const char *from, const char *to) {
    char a[PATH_MAX], b[PATH_MAX] = "", line[2 * PATH_MAX + 8];
    if (!is_below(from, a) || (to && !is_below(to, b))) return 0;
    if (fails()) return -1;
    snprintf(line, sizeof line, "%s %s\n%s%s", what, a, b, to ? "\n" : "");
    note(line, 0, 0); /* before it is done: a name that is gone is no worse when it is written down */
    return 0;
}

int unlink(const char *path) { return names("U", path, 0) ? -1 : REAL(unlink)(path); }

int rename(const char *from, const char *to) { return names("R", from, to) ? -1 : REAL(rename)(from, to); }

int linkat(int a, const char *from, int b, const char *to, int flags) {
    return names("L", from, to) ? -1 : REAL(linkat)(a, from, b, to, flags);
}

int link(const char *from, const char *to) { return names("L", from, to) ? -1 : REAL(link)(from, to); }

/* --- Bytes --- */

static ssize_t writes(int fd, const void *bytes, size_t length, off_t at) {
    struct stat found;
    char line[80];
    if (!is_ours(fd, &found)) return at < 0 ? REAL(write)(fd, bytes, length) : REAL(pwrite)(fd, bytes, length, at);
    if (fails()) return -1;
    if (is_half() && length > 1) length /= 2;
    off_t where = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    ssize_t done = REAL(pwrite)(fd, bytes, length, where);
    if (done > 0 && at < 0) lseek(fd, where + done, SEEK_SET);
    if (done > 0) {
        snprintf(line, sizeof line, "W %lu %ld %zd\n", found.st_ino, (long)where, done);
        note(line, bytes, done);
    }
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return writes(fd, bytes, length, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return writes(fd, bytes, length, at); }

static int truncates(int fd, off_t size) {
    struct stat found;
    char line[60];
    int ours = is_ours(fd, &found);
    if (ours && fails()) return -1;
    int done = REAL(ftruncate)(fd, size);
    snprintf(line, sizeof line, "T %lu %ld\n", found.st_ino, (long)size);
    if (ours && !done) note(line, 0, 0);
    return done;
}

int ftruncate(int fd, off_t size) { return truncates(fd, size); }
int ftruncate64(int fd, off_t size) { return truncates(fd, size); }

static int syncs(int fd, int (*sync)(int)) {
    struct stat found;
    char line[40];
    int ours = is_ours(fd, &found);
    if (ours && fails()) return -1;
    if (ours && slow && !is_well()) nanosleep(&(struct timespec){slow / 1000, slow % 1000 * 1000000}, 0);
    /* Nothing is lost here but what the trace says is lost: the machine's own disk need not be waited for. */
    int done = ours ? 0 : sync(fd);
    snprintf(line, sizeof line, "F %lu\n", found.st_ino);
    if (ours && !done) note(line, 0, 0);
    return done;
}

int fsync(int fd) { return syncs(fd, REAL(fsync)); }
int fdatasync(int fd) { return syncs(fd, REAL(fdatasync)); }

/* std copies by write instead. */
ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t length, unsigned flags) {
    struct stat found;
    if (!is_ours(out, &found)) return REAL(copy_file_range)(in, from, out, to, length, flags);
    errno = EXDEV;
    return -1;
}

/* --- What people are shown --- */

static void shown(int fd, const void *bytes, ssize_t length) {
    char line[40];
    if (trace < 0 || length <= 0) return;
    snprintf(line, sizeof line, "S %d %zd\n", fd, length);
    note(line, bytes, length);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t done = writes(fd, bytes, length, -1);
    if (fd == STDOUT_FILENO) shown(fd, bytes, done);
    return done;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    ssize_t done = REAL(send)(fd, bytes, length, flags);
    shown(fd, bytes, done);
    return done;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    ssize_t done = REAL(sendmsg)(fd, message, flags), left = done;
    char *bytes = done > 0 && trace >= 0 ? malloc(done) : 0;
    for (size_t i = 0, at = 0; bytes && left > 0 && i < message->msg_iovlen; i++) {
        size_t part = message->msg_iov[i].iov_len;
        if (part > (size_t)left) part = left;
        memcpy(bytes + at, message->msg_iov[i].iov_base, part);
        at += part;
        left -= part;
    }
    if (bytes) shown(fd, bytes, done);
    free(bytes);
    return done;
}
