//! A tour: both servers, one scene synced by hand, Plex in each of its bad states, and the request
//! log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use simulators::{EntityKind, Fault, Trigger, World};

fn main() -> io::Result<()> {
    let world = World::new(3, 42)?;
    println!("Plex  {}\nStash {}\n", world.plex.url(), world.stash.url());
    println!("{}\n", world.comparison());

    let id = world.scenes[0];
    println!("Stash tells the plugin on stdin, for a saved form:");
    let stdin = world.stash.hook_stdin(&Trigger::SceneForm(id));
    println!(
        "  {} … ({} bytes)\n",
        stdin.chars().take(100).collect::<String>(),
        stdin.len()
    );

    println!(
        "PUT everything of scene {id}: {}",
        request(&world, "PUT", &edit(&world, id))
    );
    println!(
        "{}\n",
        world
            .comparison()
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
    );

    println!("GET /identity while Plex …");
    for fault in [
        Fault::maintenance(),
        Fault::Unauthorized,
        Fault::BadGateway,
        Fault::Slow(Duration::from_millis(150)),
        Fault::Reset,
        Fault::Truncated,
        Fault::HtmlPage,
        Fault::Hang,
    ] {
        world.plex.fail_with(fault.clone());
        println!(
            "  {:<44} {}",
            format!("{fault:?}").chars().take(42).collect::<String>(),
            request(&world, "GET", "/identity")
        );
    }
    world.plex.clear_faults();
    world.plex.down();
    println!(
        "  {:<44} {}",
        "is down",
        request(&world, "GET", "/identity")
    );
    world.plex.up()?;
    println!(
        "  {:<44} {}\n",
        "is up again",
        request(&world, "GET", "/identity")
    );

    println!("Plex saw {} requests:", world.plex.request_count());
    for seen in world.plex.requests() {
        let status = seen
            .status
            .map_or("no answer".to_owned(), |status| status.to_string());
        println!("  {:>8.1?} {} {} {status}", seen.at, seen.method, seen.path);
    }
    Ok(())
}

/// The whole scene in one edit.
fn edit(world: &World, id: u64) -> String {
    let scene = world.stash.scene(id).unwrap();
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let name = |kind, id: &u64| encode(&world.stash.name_of(kind, *id));
    let mut target = format!(
        "/library/sections/{}/all?type=1&id={}&title.value={}&summary.value={}&originallyAvailableAt.value={}",
        world.section,
        world.items[0],
        encode(&scene.title),
        encode(&scene.details),
        scene.date,
    );
    if let Some(studio) = &scene.studio {
        target += &format!("&studio.value={}", name(EntityKind::Studio, studio));
    }
    for (at, performer) in scene.performers.iter().enumerate() {
        target += &format!(
            "&actor[{at}].tag.tag={}",
            name(EntityKind::Performer, performer)
        );
    }
    for (at, tag) in scene.tags.iter().enumerate() {
        target += &format!("&genre[{at}].tag.tag={}", name(EntityKind::Tag, tag));
    }
    target
}

/// What a client makes of the answer, in words.
fn request(world: &World, method: &str, target: &str) -> String {
    let begun = Instant::now();
    let answer = (|| {
        let mut stream = TcpStream::connect(("127.0.0.1", world.plex.port()))?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        let (host, token) = (world.plex.url(), world.plex.token());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nX-Plex-Token: {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        io::Result::Ok(text)
    })();
    let took = begun.elapsed().as_millis();
    match answer {
        Ok(text) => {
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
            let promised = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .unwrap_or("0");
            format!(
                "{} with {} of {promised} bytes, {took} ms",
                head.lines().next().unwrap_or("nothing"),
                body.len()
            )
        }
        Err(error) => format!("{error}, {took} ms"),
    }
}
