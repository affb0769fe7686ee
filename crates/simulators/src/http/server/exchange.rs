//! One request and its answer, with the faults and actions that befall it.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Action, Fault, Moment, Request, Response, Shared};

/// What becomes of the connection after an exchange.
#[derive(PartialEq)]
pub(super) enum After {
    Keep,
    Close,
    Reset,
}

impl Shared {
    /// Carries a request out, with what is to happen around it.
    fn answer(&self, request: &Request) -> Response {
        self.act(Moment::Before, request);
        let response = self.handler.answer(request);
        self.act(Moment::After, request);
        response
    }

    fn act(&self, moment: Moment, request: &Request) {
        let mut net = self.net();
        let due = net
            .actions
            .iter_mut()
            .filter(|(when, _)| *when == moment)
            .filter_map(|(_, rule)| rule.strikes(request).then(|| Arc::clone(&rule.what)));
        let due: Vec<Action> = due.collect();
        // An action may change the server.
        drop(net);
        for action in due {
            let mut action = action.lock().unwrap_or_else(PoisonError::into_inner);
            action();
        }
    }

    pub(super) fn exchange(&self, stream: &TcpStream, request: &Request) -> (Option<u16>, After) {
        let (fault, latency, era) = {
            let mut net = self.net();
            let fault = net
                .rules
                .iter_mut()
                .find_map(|rule| rule.strikes(request).then(|| rule.what.clone()));
            (fault, net.latency, net.era)
        };
        if !self.pause(latency, None) {
            return (None, After::Close);
        }
        let Some(fault) = fault else {
            return self.send(stream, request, &self.answer(request));
        };
        match &fault {
            Fault::Slow(delay) => {
                if !self.pause(*delay, None) {
                    return (None, After::Close);
                }
                self.send(stream, request, &self.answer(request))
            }
            Fault::Hang => self.hang(era),
            Fault::AnswerLost => {
                self.answer(request);
                self.hang(era)
            }
            Fault::Close => (None, After::Close),
            Fault::Reset | Fault::Truncated => {
                let response = self.answer(request);
                let bytes = response.to_bytes(Some(self.keep_alive.as_secs()), false);
                // At least the last byte is missing, at least half of the body when there is one.
                let cut = (bytes.len() - response.body.len() / 2).min(bytes.len() - 1);
                _ = write_all(stream, &bytes[..cut]);
                let after = if fault == Fault::Reset {
                    After::Reset
                } else {
                    After::Close
                };
                (Some(response.status), after)
            }
            Fault::BrokenDocument => {
                let mut response = self.answer(request);
                response.body.truncate(response.body.len() / 2);
                self.send(stream, request, &response)
            }
            Fault::Answer(response) => self.send(stream, request, response),
            state => match self.handler.failure(state, request) {
                Some(response) => self.send(stream, request, &response),
                None => (None, After::Close),
            },
        }
    }

    fn hang(&self, era: u64) -> (Option<u16>, After) {
        self.pause(Duration::MAX, Some(era));
        (None, After::Close)
    }

    /// Waits; `false` when the server went down meanwhile. Ends early when the faults change and
    /// `era` says to mind it.
    fn pause(&self, duration: Duration, era: Option<u64>) -> bool {
        let begun = Instant::now();
        let mut net = self.net();
        while net.open && era.is_none_or(|era| era == net.era) {
            let left = duration.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            // Some platforms refuse very long waits.
            let step = left.min(Duration::from_secs(3600));
            net = self
                .changed
                .wait_timeout(net, step)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        net.open
    }

    fn send(
        &self,
        stream: &TcpStream,
        request: &Request,
        response: &Response,
    ) -> (Option<u16>, After) {
        let close = request.wants_close();
        let keep_alive = (!close).then_some(self.keep_alive.as_secs());
        let bytes = response.to_bytes(keep_alive, request.method == "HEAD");
        match write_all(stream, &bytes) {
            Ok(()) if close => (Some(response.status), After::Close),
            Ok(()) => (Some(response.status), After::Keep),
            Err(_) => (None, After::Close),
        }
    }
}

fn write_all(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)
}
