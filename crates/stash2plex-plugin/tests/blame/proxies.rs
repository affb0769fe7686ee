//! What a proxy in front of Plex does wrong is named as the proxy's, and stops no more than it
//! must.

use simulators::{Fault, Response, Rule};

use super::nginx::Nginx;
use super::*;

/// `/identity` is asked without a token, so whoever refuses it does not mean the token.
#[test]
fn a_login_in_front_of_plex_is_not_the_tokens_fault() {
    for status in [401, 403] {
        let plugin = installed(2, json!({}));
        let mut page = Response::new(
            status,
            "text/html",
            "<html>\n<h1>Just a moment</h1>\n</html>",
        );
        let asks = ("WWW-Authenticate".to_owned(), "Basic".to_owned());
        page.headers.push(asks);
        let plex = &plugin.world.plex;
        plex.fail_when(Rule::new(Fault::Answer(page)).path("/identity"));
        guarded(&plugin, status);
        plex.clear_faults();
        plugin.until_equal();
        plugin.until_no_worker();
    }
}

/// Saves all: nothing is sent, the proxy is named and the token is not blamed, by the worker and by
/// Health Check.
fn guarded(plugin: &Installed, status: u16) {
    save_all(plugin);
    let words = format!("a proxy in front of Plex wants a login of its own (HTTP {status})");
    plugin.until("named", || said(plugin, &words) > 0);
    plugin.until("open", || said(plugin, "Sending to Plex is paused:") > 0);
    let (text, output) = told(plugin, "health_check");
    says(&text, &words);
    says(&text, "The token has nothing to do with it");
    assert_eq!(output["plex"]["verdict"], "guarded");
    assert_eq!(said(plugin, "refuses the token"), 0);
    let token = plugin.world.plex.token();
    let requests = plugin.world.plex.requests();
    assert!(requests.iter().all(|one| !one.contains(&token)));
    assert_eq!(failed(plugin).len(), 0);
    assert_eq!(plugin.queue().counts().unwrap().live(), 2);
}

#[test]
fn nginx_wants_a_password() {
    let plugin = installed(2, json!({}));
    let login =
        "location / { auth_basic Films; auth_basic_user_file users; proxy_pass http://PLEX; }";
    let Some(nginx) = Nginx::before(&plugin.world.plex, login) else {
        return;
    };
    set(&plugin, json!({"plex_url": nginx.url()}));
    guarded(&plugin, 401);
    // What Health Check says: Plex's direct address.
    plugin.kill_worker();
    plugin.until_no_worker();
    set(&plugin, json!({}));
    plugin.task("process_queue");
    plugin.until_equal();
    plugin.until_no_worker();
}

/// A picture is larger than nginx lets through: 413 long before all of it was sent.
#[test]
fn nginx_limits_what_may_be_sent() {
    let plugin = installed(6, json!({}));
    let limit = "client_max_body_size 1m; location / { proxy_pass http://PLEX; }";
    let Some(nginx) = Nginx::before(&plugin.world.plex, limit) else {
        return;
    };
    let settings = json!({"plex_url": nginx.url(), "sync_poster": true});
    set(&plugin, settings);
    let (small, large) = plugin.world.scenes.split_at(1);
    let cover = |scene: u64, padding: usize| {
        let edit = plugin.world.stash.edit(scene).cover(1);
        edit.with(|scene| {
            let mut bytes = scene.cover.as_deref().unwrap().to_vec();
            bytes.extend(vec![0; padding]);
            scene.cover = Some(bytes.into());
        });
    };
    small.iter().for_each(|scene| cover(*scene, 1 << 19));
    large.iter().for_each(|scene| cover(*scene, 3 << 20));
    save_all(&plugin);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    stayed_closed(&plugin);
    assert_eq!(failed(&plugin).len(), 0, "{}", plugin.worker_log());
    for scene in large {
        let words = format!("scene {scene}: synced without its poster");
        assert_eq!(said(&plugin, &words), 1, "{}", plugin.worker_log());
    }
    says(&plugin.worker_log(), "413");
    let shows = |nth: usize| {
        let item = plugin.world.plex.item(plugin.world.items[nth]).unwrap();
        item.posters.selected_sha1().is_some()
    };
    assert_eq!([0, 1, 5].map(shows), [true, false, false]);
    // A picture that fits.
    cover(large[0], 0);
    plugin.save(large[0]);
    worked_off(&plugin);
    assert!(shows(1));
}

#[test]
fn nginx_has_plex_below_a_path() {
    let plugin = installed(4, json!({}));
    let below = "location /films/plex/ { proxy_pass http://PLEX/; }";
    let Some(nginx) = Nginx::before(&plugin.world.plex, below) else {
        return;
    };
    let everything = json!({
        "plex_url": format!("{}/films/plex", nginx.url()), "sync_poster": true, "sync_background": true,
        "sync_rating": true, "sync_collection": true,
    });
    set(&plugin, everything);
    let (text, output) = told(&plugin, "health_check");
    says(&text, "i Plex: healthy");
    assert_eq!(output["plex"]["token"]["is"], "owner");
    save_all(&plugin);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    let item = plugin.world.plex.item(plugin.world.items[0]).unwrap();
    assert!(item.posters.selected_sha1().is_some());
    let url = plugin.world.plex.url();
    assert!(
        plugin
            .world
            .plex
            .requests()
            .iter()
            .any(|one| one.path == "/:/prefs"),
        "{url}"
    );
}

/// nginx is there and Plex is not.
#[test]
fn nginx_without_plex_behind_it_is_an_outage() {
    let plugin = installed(2, json!({}));
    let plain = "location / { proxy_pass http://PLEX; }";
    let Some(nginx) = Nginx::before(&plugin.world.plex, plain) else {
        return;
    };
    set(&plugin, json!({"plex_url": nginx.url()}));
    plugin.world.plex.down();
    save_all(&plugin);
    plugin.until("open", || said(&plugin, "Sending to Plex is paused:") > 0);
    let (text, output) = told(&plugin, "health_check");
    says(&text, "HTTP 502");
    assert_eq!(output["plex"]["verdict"], "gateway");
    plugin.world.plex.up().unwrap();
    plugin.until_equal();
    assert_eq!(failed(&plugin).len(), 0);
    plugin.until_no_worker();
}
