//! A real Stash in a folder of its own, the plugin in it as the README says, and a simulated Plex
//! with the same films.

use std::fs::{self, File};
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use queue::{Options, Queue};
use serde_json::{Value, json};

use simulators::{Item, PlexServer, SectionKind};
use sync_engine::clients::tls;
use sync_engine::core::job::Job;
use tempfile::TempDir;

/// Enough for a bulk edit that can be interrupted.
const FILMS: usize = 60;

/// On a busy machine a scan of all films takes half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// Complaints of Stash that nobody's plugin is the reason of.
const STASHS_OWN: [&str; 5] = [
    "Couldn't retrieve latest version",
    "Assuming new system",
    "[InitHWSupport]",
    "ffmpeg",
    "ffprobe",
];

pub struct Real {
    folder: TempDir,
    program: PathBuf,
    process: Option<Child>,
    port: u16,
    /// How Stash is reached.
    pub scheme: &'static str,
    /// Sent with each request, once a login is set.
    pub cookie: String,
    pub plex: PlexServer,
    pub section: u32,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    /// How much of Stash's log has been looked at.
    read: usize,
}

impl Drop for Real {
    fn drop(&mut self) {
        for pid in self.workers() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Real {
    /// Makes films and starts Stash, which has not seen them yet.
    pub fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plex = PlexServer::start().unwrap();
        let films = folder.path().join("films");
        let section = plex.add_section("Films", SectionKind::Movie, &[films.to_str().unwrap()]);
        let http = tls::client_builder().tls_danger_accept_invalid_certs(true);
        let mut real = Self {
            program: program.into(),
            process: None,
            port: 0,
            scheme: "http",
            cookie: String::new(),
            section,
            plex,
            http: http
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            read: 0,
            folder,
        };
        real.make_films();
        real.start();
        real.ask(
            "mutation ($input: SetupInput!) { setup(input: $input) }",
            json!({"input": {
                "configLocation": real.config().join("config.yml"), "databaseFile": "", "generatedLocation": "",
                "cacheLocation": "", "blobsLocation": "", "storeBlobsInDatabase": true,
                "stashes": [{"path": films, "excludeVideo": false, "excludeImage": false}],
            }}),
        );
        real
    }

    /// Stash's configuration folder.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub fn film(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("films/film {n:03}.mp4"))
    }

    fn make_films(&self) {
        fs::create_dir_all(self.folder.path().join("films")).unwrap();
        fs::create_dir_all(self.config()).unwrap();
        let first = self.folder.path().join("film.mp4");
        let made = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                "testsrc=size=320x240:rate=10:duration=2",
            ])
            .args(["-c:v", "mpeg4", "-pix_fmt", "yuv420p"])
            .arg(&first)
            .status()
            .expect("this suite needs ffmpeg and ffprobe");
        assert!(made.success());
        for n in 0..FILMS {
            self.make_film(n);
            self.plex
                .add_file(self.section, self.film(n).to_str().unwrap());
        }
    }

    /// A copy that is none to Stash, which tells files apart by their ends.
    pub fn make_film(&self, n: usize) {
        fs::copy(self.folder.path().join("film.mp4"), self.film(n)).unwrap();
        let mut film = File::options().append(true).open(self.film(n)).unwrap();
        // A box that players skip.
        film.write_all(&16_u32.to_be_bytes()).unwrap();
        film.write_all(format!("free{n:08}").as_bytes()).unwrap();
    }

    /// Starts it on a port that is free, another one each time.
    pub fn start(&mut self) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        self.port = free.local_addr().unwrap().port();
        drop(free);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let process = Command::new(&self.program)
            .args([
                "--nobrowser",
                "--host",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
            ])
            .arg("--config")
            .arg(self.config().join("config.yml"))
            .env_remove("PLEX_URL")
            .env_remove("PLEX_TOKEN")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let give_up = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < give_up,
                "Stash does not start:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a container's end does.
    pub fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let _ = Command::new("kill").arg(process.id().to_string()).status();
        process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("stash.log")
    }

    /// Stash's log, without colours and requests.
    pub fn log(&self) -> String {
        let text = fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut plain = String::new();
        for (n, part) in text.split('\u{1b}').enumerate() {
            let rest = part.split_once('m').map_or("", |(_, rest)| rest);
            plain.push_str(if n == 0 { part } else { rest });
        }
        let is_request = |line: &&str| line.contains("INF Response: ");
        let lines = plain.split_inclusive('\n');
        lines.filter(|line| !is_request(line)).collect()
    }

    /// The warnings and errors since the last look, without those that are Stash's own.
    pub fn complaints(&mut self) -> Vec<String> {
        let log = self.log();
        let new = log.get(self.read..).unwrap_or_default().to_owned();
        self.read = log.len();
        let complains = |line: &&str| line.starts_with("WARN") || line.starts_with("ERRO");
        let own = |line: &&str| STASHS_OWN.iter().any(|own| line.contains(own));
        let lines = new.lines().filter(complains).filter(|line| !own(line));
        lines.map(str::to_owned).collect()
    }

    /// A request of Stash's page, with its answer.
    pub fn post(&self, path: &str, content: &str, body: String) -> reqwest::Response {
        let url = format!("{}://127.0.0.1:{}{path}", self.scheme, self.port);
        let request = self.http.post(url).header("Content-Type", content);
        let request = request.header("Cookie", &self.cookie).body(body);
        self.runtime.block_on(request.send()).unwrap()
    }

    pub fn get(&self, path: &str) -> String {
        let url = format!("{}://127.0.0.1:{}{path}", self.scheme, self.port);
        self.runtime.block_on(async {
            let answer = self
                .http
                .get(url)
                .header("Cookie", &self.cookie)
                .send()
                .await;
            answer.unwrap().text().await.unwrap()
        })
    }

    /// What Stash answers, its errors too.
    pub fn answer(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        let response = self.post("/graphql", "application/json", body);
        let text = self.runtime.block_on(response.text()).unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// The data that Stash answers with.
    #[track_caller]
    pub fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.answer(query, variables);
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    /// Sends a request and goes away once `gone` says so, as a closed tab does.
    pub fn ask_and_leave(&self, query: &str, variables: Value, gone: impl FnMut() -> bool) {
        let body = json!({"query": query, "variables": variables}).to_string();
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            client,
            "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        self.until("far enough to leave", gone);
        client.shutdown(Shutdown::Both).unwrap();
    }

    /// What Plex shows of a film.
    pub fn item(&self, film: &Path) -> Item {
        let items = self.plex.items_with_file(film.to_str().unwrap());
        items.into_iter().next().unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.config().join("stash2plex")
    }

    pub fn worker_log(&self) -> String {
        fs::read_to_string(self.data().join("worker.log")).unwrap_or_default()
    }

    pub fn queue(&self) -> Queue<Job> {
        Queue::open(self.data().join("stash2plex.db"), Options::inspector()).unwrap()
    }

    /// How many jobs wait or run.
    pub fn waiting(&self) -> u64 {
        self.queue().counts().unwrap().live()
    }

    #[track_caller]
    pub fn until_worked_off(&self) {
        self.until("worked off", || self.waiting() == 0);
    }

    /// The workers of this installation.
    pub fn workers(&self) -> Vec<u32> {
        let data = self.data();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ours = processes.filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == data)
        });
        ours.filter_map(|process| process.file_name().to_str()?.parse().ok())
            .collect()
    }

    pub fn kill_workers(&self) {
        for pid in self.workers() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        self.until("no worker", || self.workers().is_empty());
    }

    /// Waits for a condition, looking often.
    #[track_caller]
    pub fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let give_up = Instant::now() + PATIENCE;
        while !condition() {
            let ends = |text: String| {
                let from = text.len().saturating_sub(4000);
                text.get(from..).unwrap_or_default().to_owned()
            };
            assert!(
                Instant::now() < give_up,
                "never {what}; the worker says:\n{}\nStash says:\n{}",
                ends(self.worker_log()),
                ends(self.log())
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}
