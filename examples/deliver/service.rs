//! A service on loopback that takes lines, and may be away.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says to a message.
pub enum Answer {
    Taken,
    Busy,
    Refused,
}

pub struct Service {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Service {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self {
            address: listener.local_addr()?,
            listening: tokio::spawn(listen(listener)),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn leave(&mut self) {
        super::say("the service goes away");
        self.listening.abort();
    }

    pub async fn come_back(&mut self) -> Result<()> {
        super::say("the service comes back");
        self.listening = tokio::spawn(listen(TcpListener::bind(self.address).await?));
        Ok(())
    }
}

async fn listen(listener: TcpListener) {
    let mut heard = 0_u32;
    while let Ok((stream, _)) = listener.accept().await {
        heard += 1;
        // A caller that hangs up is no concern of others.
        let _ = answer(stream, heard).await;
    }
}

async fn answer(mut stream: TcpStream, heard: u32) -> Result<()> {
    let line = line(&mut stream).await?;
    let answer = match line.as_str() {
        "refuse me" => "refused\n",
        _ if heard.is_multiple_of(9) => "busy\n",
        _ => "taken\n",
    };
    stream.write_all(answer.as_bytes()).await
}

/// Delivers a message.
pub async fn send(address: SocketAddr, message: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{message}\n").as_bytes()).await?;
    match line(&mut stream).await?.as_str() {
        "taken" => Ok(Answer::Taken),
        "busy" => Ok(Answer::Busy),
        "refused" => Ok(Answer::Refused),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// Whether anybody answers there.
pub async fn is_there(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_ok()
}

async fn line(stream: &mut TcpStream) -> Result<String> {
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line).await?;
    if read == 0 {
        return Err(Error::from(ErrorKind::UnexpectedEof));
    }
    Ok(line.trim_end().to_owned())
}
