//! Your own thread pool. The task is in 05-pool.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

type Job = Box<dyn FnOnce() + Send>;

/// Some threads that take jobs in turn.
struct Pool {
    jobs: Option<mpsc::Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

// --- yours ---
impl Pool {
    /// Starts the workers.
    fn new(workers: usize) -> Pool {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let _ = (workers, Arc::new(Mutex::new(waiting)));
        Pool { jobs: Some(jobs), workers: Vec::new() }
    }

    /// Has a worker do the job, as soon as one is free.
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let _ = &self.jobs;
        job();
    }
}

/// Waits until all jobs are done, and every worker has ended.
impl Drop for Pool {
    fn drop(&mut self) {
        let _ = &self.workers;
    }
}
// --- end ---

/// Clients, and then the server ends.
const CLIENTS: usize = 8;

/// Answers one line after a second.
fn serve(stream: TcpStream) {
    let mut line = String::new();
    let _ = BufReader::new(&stream).read_line(&mut line);
    thread::sleep(Duration::from_secs(1));
    let _ = writeln!(&stream, "{} is done.", line.trim());
}

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    let pool = Pool::new(3);
    for stream in listener.incoming().take(CLIENTS) {
        let stream = stream?;
        pool.execute(move || serve(stream));
    }
    drop(pool);
    println!("every worker has ended");
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
