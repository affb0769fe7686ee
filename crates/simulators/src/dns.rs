//! A DNS server of our own.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// What it says to a question.
pub enum Answer {
    /// This address.
    Is(IpAddr),
    /// The name exists, without such an address.
    None,
    /// There is no such name.
    Unknown,
    /// The server is at fault.
    Failure,
    /// Nothing at all.
    Silence,
}

/// Answers for as long as the process lives: `answer` is told the name, without the last dot, and
/// whether an IPv6 address is asked for.
///
/// # Errors
/// The address is taken.
pub fn serve(
    at: impl Into<SocketAddr>,
    answer: impl Fn(&str, bool) -> Answer + Send + 'static,
) -> std::io::Result<SocketAddr> {
    let socket = UdpSocket::bind(at.into())?;
    let address = socket.local_addr();
    std::thread::spawn(move || {
        let mut bytes = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            if let Some(reply) = reply(&bytes[..length], &answer) {
                let _ = socket.send_to(&reply, from);
            }
        }
    });
    address
}

// RFC 1035, 4.1.
fn reply(question: &[u8], answer: impl Fn(&str, bool) -> Answer) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while *question.get(at)? != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(question.get(at + 1..end)?));
        at = end;
    }
    let kind = [*question.get(at + 1)?, *question.get(at + 2)?];
    let (code, address) = match answer(&labels.join("."), kind == [0, 28]) {
        Answer::Is(address) => (0, Some(address)),
        Answer::None => (0, None),
        Answer::Failure => (2, None),
        Answer::Unknown => (3, None),
        Answer::Silence => return None,
    };
    let answers = u8::from(address.is_some());
    let mut reply = question[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
    reply.extend(question.get(12..at + 5)?);
    let octets = match address {
        None => return Some(reply),
        Some(IpAddr::V4(ip)) => ip.octets().to_vec(),
        Some(IpAddr::V6(ip)) => ip.octets().to_vec(),
    };
    reply.extend([0xc0, 12, kind[0], kind[1], 0, 1, 0, 0, 0, 60, 0]);
    reply.push(u8::try_from(octets.len()).ok()?);
    reply.extend(octets);
    Some(reply)
}
