//! Hashing passwords, and comparing one with a hash. Runs on the thread of whoever logs in, which
//! waits at the `Semaphore` for a turn, and then for a thread of low priority that does the work.
//!
//! A hash is costly on purpose: somebody who steals the file has to pay that cost for every guess.
//! So only a few are made at once, and a name that does not exist costs as much as any other.

use crate::server::status::{self, Activity};
use crate::{
    core::{
        password::{PASSWORD_MAX, Password},
        record::PasswordHash,
    },
    lock::{LockKind, Locked, assert_no_lock_held},
};
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash as Phc, Salt},
};
use parking_lot::{Condvar, Mutex};
use std::{
    panic::resume_unwind,
    thread::{self, Builder},
    time::Duration,
};

/// The most hashes made at once. Each needs 19 MiB for some 20 ms: 512 logins at once need 38 MiB,
/// and take about 6 s on two cores, which leaves the other threads their turns.
const HASHES_AT_ONCE: usize = 2;
const HASH_BYTES: usize = 32;
/// Stack of a thread that hashes: several times what argon2 needs in a debug build.
const STACK: usize = 256 * 1024;
/// How much lower its priority is: a tenth of the time of each thread that wants the same core.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// How often a thread that waits for its turn looks whether it still has to.
const LOOK_UP: Duration = Duration::from_millis(250);

/// The parameters: the smallest that OWASP's Password Storage Cheat Sheet recommends for argon2id.
/// When they are raised, hashes made with the old ones are still good, and [`Hasher::needs_rehash`]
/// tells them.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// A stored hash that asks for more than this was not made by chatd: it could use up the server's
/// memory.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// Hashes and compares passwords, a few at a time.
pub struct Hasher {
    params: Params,
    /// A dummy hash: a password is compared with it if there is no stored one.
    nobody: Phc,
    places: Semaphore,
}

impl Default for Hasher {
    fn default() -> Hasher {
        let params =
            Params::new(MEMORY_KIB, PASSES, LANES, None).expect("are parameters of argon2");
        // Its result is 32 zeros: nobody knows a password that gives them.
        let zeros = "A".repeat(4 * HASH_BYTES / 3 + 1);
        let nobody = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$bm9ib2R5J3Mgc2FsdA${zeros}"
        );
        Hasher {
            params,
            nobody: Phc::new(&nobody).expect("is a PHC string"),
            places: Semaphore::new(HASHES_AT_ONCE),
        }
    }
}

impl Hasher {
    /// Hashes a new password, with a salt of its own. Takes some 20 ms, and may wait for its turn
    /// before.
    ///
    /// # Errors
    /// A sentence for the person: the password is too short or too long.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.hash_unless(password, &|| false)
    }

    /// The same, unless the caller `gives_up`: see [`Hasher::take_turn`].
    pub(crate) fn hash_unless(
        &self,
        password: &Password,
        gives_up: &dyn Fn() -> bool,
    ) -> Result<PasswordHash, String> {
        password.check()?;
        self.hash_bytes(password.reveal().as_bytes(), gives_up)
    }

    pub(super) fn hash_bytes(
        &self,
        password: &[u8],
        gives_up: &dyn Fn() -> bool,
    ) -> Result<PasswordHash, String> {
        let salt = Salt::generate();
        // It fails only if memory runs out, and the error does not contain the password.
        let hash = self
            .take_turn(gives_up)
            .ok_or("your connection is about to end.")?
            .compute(&self.params, password, &salt, HASH_BYTES)
            .ok_or("The password could not be hashed.")?;
        Ok(PasswordHash(
            Phc { salt: Some(salt), hash: Some(hash), ..self.nobody.clone() }.to_string(),
        ))
    }

    /// Waits for a turn to compare a password. `None`: the caller `gives_up`, which is asked four
    /// times a second, and must not wait. A stop does not wait for 512 hashes.
    pub(crate) fn take_turn(&self, gives_up: &dyn Fn() -> bool) -> Option<Turn<'_>> {
        self.places.enter(gives_up).map(|memory| Turn { hasher: self, memory })
    }

    /// Whether a hash was made with other parameters than the present ones: then a new one is made
    /// at the next login.
    pub(crate) fn needs_rehash(&self, stored: &PasswordHash) -> bool {
        Phc::new(stored.phc()).map_or(true, |stored| {
            stored.algorithm != self.nobody.algorithm
                || stored.version != self.nobody.version
                || stored.params != self.nobody.params
        })
    }
}

/// A turn, with the memory that it takes. It ends when this is dropped.
pub(crate) struct Turn<'a> {
    hasher: &'a Hasher,
    memory: Vec<Block>,
}

impl Turn<'_> {
    /// Whether this is the password of the stored hash. Without a hash (no such account), or with
    /// one that chatd did not make, the answer is no, after the same time.
    pub(crate) fn verify(&mut self, password: &str, stored: Option<&PasswordHash>) -> bool {
        let stored = stored.and_then(|stored| Phc::new(stored.phc()).ok()).filter(is_ours);
        let compared = stored.as_ref().unwrap_or(&self.hasher.nobody);
        let (Ok(params), Some(salt), Some(hash)) =
            (Params::try_from(compared), &compared.salt, &compared.hash)
        else {
            return false;
        };
        // A password that is too long was never hashed, and is not hashed now: its sender could
        // choose the cost.
        let bytes = password.as_bytes();
        let bytes = if bytes.len() <= PASSWORD_MAX { bytes } else { b"" };
        let (params, salt, hash) = (params, *salt, *hash);
        let is_some = stored.is_some() && !bytes.is_empty();
        self.compute(&params, bytes, &salt, hash.len()).is_some_and(|computed| computed == hash)
            && is_some
    }

    fn compute(
        &mut self,
        params: &Params,
        password: &[u8],
        salt: &Salt,
        bytes: usize,
    ) -> Option<Output> {
        let params =
            Params::new(params.m_cost(), params.t_cost(), params.p_cost(), Some(bytes)).ok()?;
        if self.memory.len() < params.block_count() {
            self.memory.resize(params.block_count(), Block::default());
        }
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = vec![0; bytes];
        let memory = &mut self.memory[..];
        behind_others(|| {
            argon2.hash_password_into_with_memory(password, salt.as_ref(), &mut hash, memory)
        })
        .ok()?;
        Output::new(&hash).ok() // which is compared in constant time
    }
}

/// Works on a thread of low priority, and waits for it. Else a core belongs to a hash until the
/// kernel looks again, after 4 ms on many machines, and a line that is said meanwhile waits as long.
/// It is another thread, because whoever lowers their priority may not raise it again.
fn behind_others<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = Mutex::new(Some(work)); // whose thread may not start
    let run = || {
        let work = work.lock().take();
        work.map(|work| work())
    };
    let behind = || {
        lower_priority();
        run()
    };
    let done = thread::scope(|scope| {
        match Builder::new().name("hash".to_owned()).stack_size(STACK).spawn_scoped(scope, behind) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => run(), // there are threads enough: then here
        }
    });
    done.expect("the work is done once")
}

/// Of the thread that calls it. Elsewhere than on Linux it would be the whole process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICE); // as it is, it works too
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // An unusual hash gives back the memory beyond the usual.
        self.memory.truncate(self.hasher.params.block_count());
        self.memory.shrink_to_fit();
        self.hasher.places.leave(std::mem::take(&mut self.memory));
    }
}

/// Whether chatd can afford its parameters.
fn is_ours(hash: &Phc) -> bool {
    Params::try_from(hash).is_ok_and(|params| {
        params.m_cost() <= MEMORY_KIB_MAX
            && params.t_cost() <= PASSES_MAX
            && params.p_cost() <= LANES_MAX
    })
}

/// Lets a fixed number through at once; the others wait. Each place has its memory, allocated when
/// it is first needed and then reused. When each thread allocated 19 MiB and freed them, the
/// allocator kept them, and 200 logins held 3.8 GB (glibc 2.36, measured by
/// `two_hundred_logins_at_once_stay_small_…`).
struct Semaphore {
    free: Locked<Vec<Vec<Block>>>,
    changed: Condvar,
}

impl Semaphore {
    fn new(places: usize) -> Semaphore {
        Semaphore {
            free: Locked::new(LockKind::HashingPlaces, vec![Vec::new(); places]),
            changed: Condvar::new(),
        }
    }

    /// Waits for a free place.
    fn enter(&self, gives_up: &dyn Fn() -> bool) -> Option<Vec<Block>> {
        assert_no_lock_held("the hashing places");
        status::set_activity(Activity::WaitingToHash);
        let mut free = self.free.lock();
        while !gives_up() {
            if let Some(memory) = free.pop() {
                status::set_activity(Activity::Hashing);
                return Some(memory);
            }
            free.wait_on(&self.changed, LOOK_UP);
        }
        drop(free);
        self.changed.notify_one(); // perhaps this thread was told of a place that it does not take
        status::set_activity(Activity::Working);
        None
    }

    fn leave(&self, memory: Vec<Block>) {
        self.free.lock().push(memory);
        self.changed.notify_one();
        status::set_activity(Activity::Working);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::password::PASSWORD_MIN;
    use argon2::PasswordHasher;
    use std::sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    };

    fn verify(hasher: &Hasher, password: &str, stored: Option<&PasswordHash>) -> bool {
        let mut turn = hasher.take_turn(&|| false).unwrap();
        turn.verify(Password::new(password).reveal(), stored)
    }

    fn hash(hasher: &Hasher, password: &str) -> Result<PasswordHash, String> {
        hasher.hash(&Password::new(password))
    }

    #[test]
    fn a_password_is_right_or_wrong() {
        let hasher = Hasher::default();
        let longest = "x".repeat(PASSWORD_MAX);
        for password in ["12345678", "pass\0word", "пароль", &longest] {
            let hash = hash(&hasher, password).unwrap();
            assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
            assert!(verify(&hasher, password, Some(&hash)));
            assert!(!verify(&hasher, &password[..password.len() - 2], Some(&hash)));
            assert!(!verify(&hasher, &format!("{password}x"), Some(&hash)));
            assert!(!hasher.needs_rehash(&hash));
        }
        assert_ne!(hash(&hasher, &longest), hash(&hasher, &longest), "each has its salt");
    }

    #[test]
    fn lengths_are_counted_in_bytes_and_nothing_is_cut() {
        let hasher = Hasher::default();
        for wrong in ["", "1234567", &"é".repeat(PASSWORD_MAX / 2 + 1)] {
            let refused = hash(&hasher, wrong).unwrap_err();
            assert!(
                [PASSWORD_MIN, PASSWORD_MAX].iter().any(|n| refused.contains(&n.to_string())),
                "{refused}"
            );
        }
        hash(&hasher, "éééé").unwrap();
    }

    #[test]
    fn nobody_has_no_password() {
        let hasher = Hasher::default();
        assert!(!verify(&hasher, "password", None));
        assert!(!verify(&hasher, "", None));
        let nobody = PasswordHash(hasher.nobody.to_string());
        assert!(!hasher.needs_rehash(&nobody), "it costs as much as everybody's");
    }

    #[test]
    fn what_is_stored_may_be_anything() {
        let hasher = Hasher::default();
        let phc = |params: &str| {
            format!("$argon2id$v=19${params}$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAA")
        };
        for stored in [
            "",
            "password",
            "$argon2id$",
            &phc("m=4294967295,t=1,p=1"),
            &phc("m=19456,t=99999999,p=1"),
        ] {
            let stored = PasswordHash(stored.to_owned());
            assert!(!verify(&hasher, "password", Some(&stored)), "{}", stored.0);
            assert!(hasher.needs_rehash(&stored));
        }
    }

    #[test]
    fn an_older_hash_is_good_and_is_made_again() {
        let hasher = Hasher::default();
        let older = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8192, 1, 1, None).unwrap(),
        );
        let hash =
            PasswordHash(PasswordHasher::hash_password(&older, b"password").unwrap().to_string());
        assert!(verify(&hasher, "password", Some(&hash)));
        assert!(hasher.needs_rehash(&hash));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_is_done_behind_others_and_its_caller_keeps_their_priority() {
        let own = || rustix::process::nice(0).unwrap();
        let before = own();
        assert_eq!(behind_others(own), (before + NICE).min(19));
        assert_eq!(own(), before);
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let (places, at_once, most) = (Semaphore::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let together = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let memory = places.enter(&|| false).unwrap();
                    most.fetch_max(at_once.fetch_add(1, SeqCst) + 1, SeqCst);
                    together.wait(); // two have to be here at once
                    at_once.fetch_sub(1, SeqCst);
                    places.leave(memory);
                });
            }
        });
        assert_eq!((most.into_inner(), places.free.lock().len()), (2, 2));
    }

    #[test]
    fn who_is_hung_up_gives_up_their_turn() {
        let (places, is_hung_up) = (Semaphore::new(1), AtomicBool::new(false));
        let taken = places.enter(&|| false).unwrap();
        let gives_up = || is_hung_up.load(SeqCst);
        thread::scope(|scope| {
            let waits = [(); 8].map(|()| scope.spawn(|| places.enter(&gives_up).is_none()));
            is_hung_up.store(true, SeqCst);
            assert!(waits.into_iter().all(|waiting| waiting.join().unwrap()));
            is_hung_up.store(false, SeqCst);
            let next = scope.spawn(|| places.enter(&|| false).is_some());
            places.leave(taken);
            assert!(next.join().unwrap(), "the place is not lost");
        });
    }
}
