//! Requests of one connection, one after another.

use std::io::{self, Read};
use std::net::TcpStream;

use super::message::{Request, parse_head};

/// A head longer than this is refused: far above every limit that a simulator plays.
const MAX_HEAD: usize = 1 << 20;
const MAX_BODY: usize = 64 << 20;

/// Reads requests one after another from a kept-alive connection.
pub(super) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Reader {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next request; `None` when the client closed between two.
    pub fn next(&mut self) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        };
        self.buffer.drain(..head.body_at);
        let mut request = head.request;
        request.body = if request
            .header("transfer-encoding")
            .is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
        {
            self.chunks()?
        } else {
            let length = request
                .header("content-length")
                .and_then(|v| v.parse().ok())
                .unwrap_or(0);
            self.take(length)?
        };
        Ok(Some(request))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(read)
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_BODY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while self.buffer.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((at, size))) => {
                    self.buffer.drain(..at);
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    body.extend(self.take(size)?);
                    self.take(2)?;
                    if size == 0 {
                        return Ok(body);
                    }
                }
                Ok(httparse::Status::Partial) if self.fill()? > 0 => {}
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}
