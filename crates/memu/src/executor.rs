use memu_core::environment::Executor;

/// Runs long computations on tokio's blocking threads; without a tokio runtime, on
/// a thread of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioExecutor;

impl Executor for TokioExecutor {
    fn execute(&self, job: Box<dyn FnOnce() + Send + 'static>) {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                // The job reports for itself; its handle is not needed.
                drop(runtime.spawn_blocking(job));
            }
            Err(_) => {
                drop(std::thread::spawn(job));
            }
        }
    }
}
