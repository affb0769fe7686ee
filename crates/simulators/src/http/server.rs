//! A port that listens: its faults, its log, its threads.

mod exchange;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use exchange::After;

use super::connection::Reader;
use super::{Fault, Handler, Recorded, Request, Requests, Response, Rule};

/// The network side of a simulator: its port, its faults and its request log. Clones are handles to
/// the same server, which stops when the last one is dropped.
#[derive(Clone)]
pub struct Server(Arc<Owner>);

/// Dropped with the last handle; the threads hold only `Shared`.
struct Owner {
    shared: Arc<Shared>,
    door: Mutex<Door>,
}

/// Whether the port listens. A closed door still holds the port, so that no other program is given
/// it meanwhile.
enum Door {
    Open(JoinHandle<()>),
    Closed(Option<Socket>),
}

struct Shared {
    address: SocketAddr,
    keep_alive: Duration,
    handler: Box<dyn Handler>,
    started: Instant,
    net: Mutex<Net>,
    changed: Condvar,
    log: Mutex<Log>,
}

/// The requests since the last [`Server::take_requests`], and how many were taken before.
#[derive(Default)]
struct Log {
    taken: usize,
    entries: Vec<Recorded>,
}

#[derive(Default)]
struct Net {
    open: bool,
    connections: HashMap<u64, TcpStream>,
    accepted: u64,
    /// Counts the changes of faults; a hanging request ends when it moves.
    era: u64,
    latency: Duration,
    rules: Vec<Rule>,
    actions: Vec<(Moment, Rule<Action>)>,
}

/// When an action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The request has arrived and nothing is done about it yet.
    Before,
    /// The request is carried out and its answer is not sent yet.
    After,
}

type Action = Arc<Mutex<dyn FnMut() + Send>>;

impl Server {
    pub(crate) fn start(keep_alive: Duration, handler: Box<dyn Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            keep_alive,
            handler,
            started: Instant::now(),
            net: Mutex::default(),
            changed: Condvar::new(),
            log: Mutex::default(),
        });
        let door = Mutex::new(Door::Open(listen(Arc::clone(&shared), listener)?));
        Ok(Self(Arc::new(Owner { shared, door })))
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.0.shared.address)
    }

    /// The port, which stays the same through [`down`](Self::down) and [`up`](Self::up).
    pub fn port(&self) -> u16 {
        self.0.shared.address.port()
    }

    /// Connections are refused from now on, and the open ones closed, as when the process dies.
    pub fn down(&self) {
        self.0.close();
    }

    /// Listens again. Faults and latency stay, so that a server can come back ill without a healthy
    /// moment.
    pub fn up(&self) -> io::Result<()> {
        self.0.open()
    }

    /// Whether connections are accepted.
    pub fn is_up(&self) -> bool {
        self.0.shared.net().open
    }

    /// Every request fails so, until [`clear_faults`](Self::clear_faults).
    pub fn fail_with(&self, fault: Fault) {
        self.change(|net| net.rules = vec![Rule::new(fault)]);
    }

    /// Requests that match fail too. The first rule that strikes decides.
    pub fn fail_when(&self, rule: Rule) {
        self.change(|net| net.rules.push(rule));
    }

    /// No more faults; hanging requests lose their connection.
    pub fn clear_faults(&self) {
        self.change(|net| net.rules.clear());
    }

    /// Every answer comes this much later, faults included.
    pub fn set_latency(&self, latency: Duration) {
        self.0.shared.net().latency = latency;
    }

    /// Runs `act` at this moment of every matching request that is carried out. The server stops
    /// with its last handle all the same.
    pub(crate) fn act(
        &self,
        moment: Moment,
        requests: Requests,
        mut act: impl FnMut(Self) + Send + 'static,
    ) {
        let owner = Arc::downgrade(&self.0);
        let action = move || {
            if let Some(owner) = owner.upgrade() {
                act(Self(owner));
            }
        };
        let rule = requests.with(Arc::new(Mutex::new(action)) as Action);
        self.0.shared.net().actions.push((moment, rule));
    }

    fn change(&self, change: impl FnOnce(&mut Net)) {
        let mut net = self.0.shared.net();
        net.era += 1;
        change(&mut net);
        self.0.shared.changed.notify_all();
    }

    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.shared.log().entries.clone()
    }

    /// How many requests came so far.
    pub fn request_count(&self) -> usize {
        self.0.shared.log().entries.len()
    }

    /// The requests so far, which are then forgotten.
    pub fn take_requests(&self) -> Vec<Recorded> {
        let mut log = self.0.shared.log();
        let entries = std::mem::take(&mut log.entries);
        log.taken += entries.len();
        entries
    }

    /// How many connections were accepted so far.
    pub fn connections_accepted(&self) -> u64 {
        self.0.shared.net().accepted
    }
}

impl Owner {
    fn close(&self) {
        let mut door = self.door();
        let Door::Open(_) = &*door else { return };
        {
            let mut net = self.shared.net();
            net.open = false;
            net.era += 1;
            for connection in net.connections.values() {
                _ = connection.shutdown(Shutdown::Both);
            }
            self.shared.changed.notify_all();
        }
        // The accepting thread waits in accept(); a connection wakes it, and it sees that the door
        // is closed.
        _ = TcpStream::connect(self.shared.address);
        if let Door::Open(thread) = std::mem::replace(&mut *door, Door::Closed(None)) {
            _ = thread.join();
        }
        *door = Door::Closed(hold(self.shared.address).ok());
    }

    fn open(&self) -> io::Result<()> {
        let mut door = self.door();
        let Door::Closed(held) = &mut *door else {
            return Ok(());
        };
        let socket = held.take().map_or_else(|| hold(self.shared.address), Ok)?;
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.listen(128)?;
        *door = Door::Open(listen(Arc::clone(&self.shared), socket.into())?);
        Ok(())
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

/// A socket that owns the port and does not listen: connecting to it is refused.
fn hold(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Unix the port must be free again although old connections linger in TIME_WAIT; on Windows
    // it is anyway.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    // While it is held it is nobody else's.
    #[cfg(unix)]
    socket.set_reuse_address(false)?;
    Ok(socket)
}

fn listen(shared: Arc<Shared>, listener: TcpListener) -> io::Result<JoinHandle<()>> {
    shared.net().open = true;
    thread::Builder::new()
        .name("simulator".to_owned())
        .spawn(move || {
            for stream in listener.incoming() {
                let mut net = shared.net();
                if !net.open {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let Ok(handle) = stream.try_clone() else {
                    continue;
                };
                net.accepted += 1;
                let id = net.accepted;
                net.connections.insert(id, handle);
                drop(net);
                let worker = Arc::clone(&shared);
                let spawned = thread::Builder::new().stack_size(1 << 20).spawn(move || {
                    _ = worker.serve(&stream);
                    worker.net().connections.remove(&id);
                });
                if spawned.is_err() {
                    shared.net().connections.remove(&id);
                }
            }
        })
}

impl Shared {
    fn net(&self) -> MutexGuard<'_, Net> {
        self.net.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.keep_alive))?;
        let mut reader = Reader::new(stream.try_clone()?);
        while let Some(request) = reader.next()? {
            let recorded = Recorded::new(&request, self.started.elapsed());
            let number = {
                let mut log = self.log();
                log.entries.push(recorded);
                log.taken + log.entries.len() - 1
            };
            let (status, after) = self.exchange(stream, &request);
            self.complete(number, status);
            match after {
                After::Keep => {}
                After::Close => break,
                // Closing without lingering resets, unless the end was announced before.
                After::Reset => return SockRef::from(stream).set_linger(Some(Duration::ZERO)),
            }
        }
        stream.shutdown(Shutdown::Both)
    }

    fn complete(&self, number: usize, status: Option<u16>) {
        let mut log = self.log();
        let taken = log.taken;
        // A test may have taken the entry meanwhile.
        if let Some(entry) = number
            .checked_sub(taken)
            .and_then(|at| log.entries.get_mut(at))
        {
            entry.status = status;
            entry.ended = Some(self.started.elapsed());
        }
    }
}
