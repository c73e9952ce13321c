use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use super::answer::embeddings;
use super::asked::Language;
use super::http::{self, Response};
use super::{Asked, Builder, Fault, Recorded, vector_of};

/// A provider of models on a free port of this machine. It stops when it is dropped.
pub struct FakeProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl fmt::Debug for FakeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeProvider({})", self.base_url())
    }
}

/// What happened to the request of a number.
#[derive(Clone, Copy)]
enum Event {
    Arrived(usize),
    Answered(usize),
}

/// A round ends with the first answer to one of its requests.
fn rounds(events: &[Event]) -> usize {
    let (mut rounds, mut first, mut over) = (0, 0, true);
    for event in events {
        match *event {
            Event::Arrived(number) if over => (rounds, first, over) = (rounds + 1, number, false),
            Event::Answered(number) => over |= number >= first,
            Event::Arrived(_) => {}
        }
    }
    rounds
}

/// What the threads of a server share.
struct Shared {
    plan: Builder,
    faults: Mutex<VecDeque<Fault>>,
    requests: Mutex<Vec<Recorded>>,
    arrived: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    events: Mutex<Vec<Event>>,
    stopped: Mutex<bool>,
    on_stop: Condvar,
}

impl FakeProvider {
    /// A provider that answers `ok` to everything, and with vectors of 8 numbers.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A provider that does what it is told.
    pub fn builder() -> Builder {
        Builder::default()
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without its server")]
    pub(super) fn start_with(mut plan: Builder) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let faults = std::mem::take(&mut plan.faults);
        let shared = Arc::new(Shared {
            plan,
            faults: Mutex::new(faults.into()),
            requests: Mutex::default(),
            arrived: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            events: Mutex::default(),
            stopped: Mutex::new(false),
            on_stop: Condvar::new(),
        });
        let accepting = shared.clone();
        let acceptor = std::thread::spawn(move || accept(&listener, &accepting));
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// `http://127.0.0.1:` and its port. Any path may follow: a request is known by how its
    /// path ends.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        let mut requests = lock(&self.shared.requests).clone();
        requests.sort_by_key(|request| request.number);
        requests
    }

    /// How many requests there were.
    pub fn request_count(&self) -> usize {
        lock(&self.shared.requests).len()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
        lock(&self.shared.events).clear();
    }

    /// Has the next request for which nothing is planned fail.
    pub fn fail_next(&self, fault: Fault) {
        lock(&self.shared.faults).push_back(fault);
    }

    /// In how many rounds the requests came so far, one after another: two are of the same round
    /// when the later one arrived before the earlier one was answered.
    pub fn rounds(&self) -> usize {
        rounds(&lock(&self.shared.events))
    }

    /// The greatest number of requests that waited for their answers at the same time.
    pub fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::SeqCst)
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        *lock(&self.shared.stopped) = true;
        self.shared.on_stop.notify_all();
        // Wakes up the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if *lock(&shared.stopped) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = shared.clone();
        // A client that hangs up in the middle is what some tests want.
        std::thread::spawn(move || drop(shared.serve(stream)));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let number = self.arrived.load(Ordering::SeqCst);
        let Some(mut request) = http::read(&stream, number)? else {
            return Ok(());
        };
        request.number = self.arrive();
        lock(&self.requests).push(request.clone());
        let fault = lock(&self.faults).pop_front();
        let fault = fault.or_else(|| (self.plan.fault_when)(&request));
        self.wait(fault.as_ref());
        // Before the answer is sent: whoever has got it may ask again at once.
        lock(&self.events).push(Event::Answered(request.number));
        let response = self.response(&request, fault.as_ref());
        match fault {
            Some(Fault::ResetBeforeHeaders) => http::reset(&stream),
            Some(Fault::ResetAfterHeaders) => response.send_half(&mut stream),
            _ => response.send(&mut stream),
        }
    }

    /// Numbers a request; numbers are noted in their order.
    fn arrive(&self) -> usize {
        let mut events = lock(&self.events);
        let number = self.arrived.fetch_add(1, Ordering::SeqCst);
        events.push(Event::Arrived(number));
        number
    }

    /// Lets the time pass that an answer takes; less when the server stops.
    fn wait(&self, fault: Option<&Fault>) {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        let delay = match fault {
            Some(Fault::Delay(delay)) => *delay,
            _ => Duration::ZERO,
        };
        let stopped = lock(&self.stopped);
        let waiting =
            self.on_stop
                .wait_timeout_while(stopped, delay + self.plan.latency, |stopped| !*stopped);
        drop(waiting);
        // Before the answer is sent: whoever has got it may ask again at once.
        self.under_way.fetch_sub(1, Ordering::SeqCst);
    }

    fn response(&self, request: &Recorded, fault: Option<&Fault>) -> Response {
        if let Some(Fault::Status {
            status,
            headers,
            body,
        }) = fault
        {
            return Response {
                status: *status,
                headers: headers.clone(),
                body: body.clone(),
            };
        }
        let asked = request.asked();
        let Some(language) = asked.language else {
            let message = format!("{} {} is no request", request.method, request.path);
            return Response {
                status: 404,
                headers: Vec::new(),
                body: json!({"error": {"message": message}}).to_string(),
            };
        };
        let body = self.body(language, &asked, fault);
        Response::ok(match fault {
            Some(fault) => fault.spoil_body(&body),
            None => body.to_string(),
        })
    }

    fn body(&self, language: Language, asked: &Asked, fault: Option<&Fault>) -> serde_json::Value {
        if language == Language::OpenAiTranscription {
            let usage = json!({"type": "tokens", "input_tokens": 12, "output_tokens": 3});
            return json!({"text": self.plan.transcript, "usage": usage});
        }
        if asked.is_embedding() {
            let dimension = asked.dimension.unwrap_or(self.plan.dimension);
            let vectors = asked.texts.iter().map(|text| vector_of(text, dimension));
            return embeddings(language, vectors.collect(), fault);
        }
        (self.plan.chat)(asked).body(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::Event::{Answered, Arrived};
    use super::*;

    #[test]
    fn requests_that_wait_together_are_of_one_round() {
        assert_eq!(rounds(&[]), 0);
        let together = [Arrived(0), Arrived(1), Answered(1), Answered(0)];
        assert_eq!(rounds(&together), 1);
        let apart = [Arrived(0), Answered(0), Arrived(1), Answered(1)];
        assert_eq!(rounds(&apart), 2);
        // The last of one round are answered during the next.
        let slow = [
            Arrived(0),
            Arrived(1),
            Answered(0),
            Arrived(2),
            Answered(1),
            Arrived(3),
            Answered(3),
            Arrived(4),
        ];
        assert_eq!(rounds(&slow), 3);
    }
}
