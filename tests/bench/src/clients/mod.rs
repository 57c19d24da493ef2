//! The clients, each in a file that reads as its user would write it, and the one way all are measured.

mod bare;
mod rejoin;
mod rust_socketio;

use crate::measure::{Memory, Stopwatch};
use crate::workload::{BoxError, ClientKind, Job, Sample, Workload};

/// One connected client.
trait Subject: Sized + Send {
    /// From nothing to a connected namespace.
    fn connect(url: &str) -> impl Future<Output = Result<Self, BoxError>> + Send;

    /// Emits `count` messages without acknowledgement; returns when the server has counted them all.
    fn emit(&mut self, count: u64) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Asks for `count` messages; returns when a handler has had each of them as a struct.
    fn receive(&mut self, count: u64) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Emits `count` messages, each when the acknowledgement of the one before has come.
    fn round_trips(&mut self, count: u64) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Runs one job to its end and reports what it cost.
pub(crate) async fn run(kind: ClientKind, job: Job) -> Result<Sample, BoxError> {
    let job = &job;
    match kind {
        ClientKind::Bare => measure::<bare::Socket<1, 4096>>(job).await,
        ClientKind::BareBatched => measure::<bare::Socket<100, 4096>>(job).await,
        ClientKind::BareDefault => measure::<bare::Socket<1, 131_072>>(job).await,
        ClientKind::Rejoin => measure::<rejoin::Session>(job).await,
        ClientKind::RustSocketio => measure::<rust_socketio::Session>(job).await,
    }
}

async fn measure<S: Subject>(job: &Job) -> Result<Sample, BoxError> {
    match job.workload {
        Workload::Connect => {
            // All are kept until the end: taking one down is no part of connecting the next.
            let mut held = connect_many::<S>(job.warmup, &job.url).await?;
            let watch = Stopwatch::start();
            held.append(&mut connect_many::<S>(job.count, &job.url).await?);
            Ok(watch.stop(job.count))
        }
        Workload::Idle => {
            // The first pays for what the process needs only once.
            let _first = S::connect(&job.url).await?;
            let memory = Memory::now();
            // Connected from one task, not many at once: a socket keeps the waker of the task that last polled it,
            // and with it that task's memory, which is the benchmark's.
            let _held = connect_many::<S>(job.count, &job.url).await?;
            Ok(memory.growth(job.count))
        }
        Workload::Emit | Workload::Receive | Workload::RoundTrip => {
            let mut subject = S::connect(&job.url).await?;
            if job.warmup > 0 {
                exchange(&mut subject, job.workload, job.warmup).await?;
            }
            let watch = Stopwatch::start();
            exchange(&mut subject, job.workload, job.count).await?;
            Ok(watch.stop(job.count))
        }
    }
}

async fn exchange<S: Subject>(subject: &mut S, workload: Workload, count: u64) -> Result<(), BoxError> {
    match workload {
        Workload::Emit => subject.emit(count).await,
        Workload::Receive => subject.receive(count).await,
        _ => subject.round_trips(count).await,
    }
}

async fn connect_many<S: Subject>(count: u64, url: &str) -> Result<Vec<S>, BoxError> {
    let mut subjects = Vec::new();
    for _ in 0..count {
        subjects.push(S::connect(url).await?);
    }
    Ok(subjects)
}
