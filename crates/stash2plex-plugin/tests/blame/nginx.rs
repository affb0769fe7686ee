//! A real nginx in front of the simulated Plex.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use simulators::PlexServer;
use tempfile::TempDir;

/// `.ci/run` sets it where nginx can be had: then it must be there.
const REQUIRED: &str = "NGINX_REQUIRED";

/// A running nginx, which ends with this.
pub struct Nginx {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Nginx {
    /// Starts one whose server consists of `config`, in which `PLEX` stands for the simulated one's
    /// `host:port`; none, with words, where nginx is not installed.
    pub fn before(plex: &PlexServer, config: &str) -> Option<Self> {
        let Some(program) = program() else {
            let words = "nginx is not installed; on Debian: apt-get install nginx-light";
            assert!(std::env::var_os(REQUIRED).is_none(), "{words}");
            println!("skipped: {words}");
            return None;
        };
        let config = config.replace("PLEX", &format!("127.0.0.1:{}", plex.port()));
        // The port may be another program's by the time nginx asks for it.
        let mut started = (0..10).filter_map(|_| Self::start(&program, &config));
        Some(started.next().expect("nginx does not start"))
    }

    fn start(program: &Path, config: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        std::fs::write(dir.path().join("users"), "ada:{PLAIN}secret\n").unwrap();
        std::fs::write(dir.path().join("nginx.conf"), whole(config, port)).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(dir.path());
        command.args(["-c", "nginx.conf", "-e", "stderr"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut nginx = Self {
            child: command.spawn().unwrap(),
            port,
            _dir: dir,
        };
        loop {
            if nginx.child.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(nginx);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One process, which keeps to its folder.
fn whole(server: &str, port: u16) -> String {
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            server {{ listen 127.0.0.1:{port}; {server} }}
        }}"
    )
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian has it, which is in the PATH of root alone.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut programs = folders.map(|folder| folder.join("nginx"));
    programs.find(|program| program.is_file())
}
