//! As much of HTTP/1.1 as a server needs that answers one request per connection.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Recorded;

/// What is sent.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Response {
    /// A body with status 200.
    pub(super) fn ok(body: String) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
        }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Told\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let length = self.body.len();
        let _ = write!(
            head,
            "content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        head
    }

    /// Sends all of it.
    pub(super) fn send(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(self.head().as_bytes())?;
        stream.write_all(self.body.as_bytes())?;
        stream.flush()
    }

    /// Sends half of it, and resets the connection.
    pub(super) fn send_half(&self, stream: &mut TcpStream) -> io::Result<()> {
        let half = self.body.as_bytes().iter().take(self.body.len() / 2);
        stream.write_all(self.head().as_bytes())?;
        stream.write_all(&half.copied().collect::<Vec<u8>>())?;
        stream.flush()?;
        // What is on its way when a reset arrives is lost with it.
        std::thread::sleep(Duration::from_millis(20));
        reset(stream)
    }
}

/// Has the connection reset when it is closed, not ended in an orderly way.
pub(super) fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Reads a request; `None` when the connection is closed without one.
pub(super) fn read(stream: &TcpStream, number: usize) -> io::Result<Option<Recorded>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let headers = read_headers(&mut reader)?;
    let mut request = Recorded {
        number,
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").unwrap_or("0").parse();
    request.body.resize(length.unwrap_or(0), 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(headers);
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}
