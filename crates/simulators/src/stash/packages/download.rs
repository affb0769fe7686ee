//! A file over HTTP, as Stash's package manager reads it: so much time for all of it, the body too.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use url::Url;

use super::wrong;

pub(super) fn get(url: &Url, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let left = || match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{url} took longer than {limit:?}"),
        )),
        left => Ok(left),
    };
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let mut addresses = (host, port).to_socket_addrs()?;
    let address = addresses.next().ok_or_else(|| wrong("no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let (mut bytes, mut part) = (Vec::new(), [0; 64 * 1024]);
    loop {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
            // The loop's next turn says that the time is over.
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            Err(why) if why.kind() == io::ErrorKind::TimedOut => {}
            Err(why) => return Err(why),
        }
    }
    body(bytes)
}

fn body(mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(begin) = response.parse(&bytes).map_err(wrong)? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    if let Some(status @ 400..) = response.code {
        return Err(wrong(format!("failed to get remote file: {status}")));
    }
    let length = response
        .headers
        .iter()
        .find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|it| std::str::from_utf8(it.value).ok()?.parse::<usize>().ok());
    let body = bytes.split_off(begin);
    match length.is_none_or(|it| it == body.len()) {
        true => Ok(body),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
