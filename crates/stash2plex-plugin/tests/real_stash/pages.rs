//! What a person does in Stash's pages, and through them with the plugin.

use serde_json::{Value, json};

use super::server::Real;

impl Real {
    /// Replaces the plugin's settings, as the settings page does; those not given are what a quick
    /// test wants.
    pub fn set(&self, more: Value) {
        let mut settings = json!({
            "plex_url": self.plex.url(), "plex_token": self.plex.token(), "recovery_timeout": 0.5, "probe_interval": 0.1,
            "probe_cap": 0.2, "retry_base": 0.05, "not_found_base": 0.05, "recovery_ramp": false, "debug_logging": true,
        });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.configure("Stash2Plex", settings);
    }

    pub fn configure(&self, plugin: &str, settings: Value) {
        let query =
            "mutation ($id: ID!, $input: Map!) { configurePlugin(plugin_id: $id, input: $input) }";
        self.ask(query, json!({"id": plugin, "input": settings}));
    }

    /// Changes a scene as the page does, with these fields.
    pub fn save(&self, scene: &str, mut fields: Value) {
        fields["id"] = json!(scene);
        self.ask(
            "mutation ($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }",
            json!({"input": fields}),
        );
    }

    /// Makes a performer, studio or tag.
    pub fn make(&self, kind: &str, name: &str) -> String {
        let lower = kind.to_lowercase();
        let query = format!(
            "mutation ($input: {kind}CreateInput!) {{ {lower}Create(input: $input) {{ id }} }}"
        );
        let made = self.ask(&query, json!({"input": {"name": name}}));
        made[format!("{lower}Create")]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The id of the scene that has a film.
    pub fn scene(&self, film: usize) -> String {
        let query = "query ($path: String!) { findScenes(scene_filter: {path: {value: $path, modifier: EQUALS}}) { scenes { id } } }";
        let found = self.ask(query, json!({"path": self.film(film)}));
        let id = found["findScenes"]["scenes"][0]["id"].as_str();
        id.unwrap_or_else(|| panic!("no scene of film {film}: {found}"))
            .to_owned()
    }

    /// Runs a job of Stash and waits for its end.
    pub fn job(&self, query: &str, variables: Value) {
        let started = self.ask(query, variables);
        let id = started
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone();
        self.until_job_ends(&id);
    }

    pub fn until_job_ends(&self, id: &Value) {
        let query = "query ($id: ID!) { findJob(input: {id: $id}) { status } }";
        self.until("the job ended", || {
            let job = self.ask(query, json!({"id": id}));
            let status = job["findJob"]["status"].as_str().unwrap_or("FINISHED");
            ["FINISHED", "CANCELLED", "FAILED"].contains(&status)
        });
    }

    /// Starts a task of the plugin, and says by which number it is known.
    pub fn start_task(&self, name: &str) -> Value {
        let query = "mutation ($name: String!) { runPluginTask(plugin_id: \"Stash2Plex\", task_name: $name, args_map: {}) }";
        self.ask(query, json!({"name": name}))["runPluginTask"].clone()
    }

    /// Runs a task of the plugin to its end; what Stash's log then has more.
    pub fn task(&self, name: &str) -> String {
        let before = self.log().len();
        self.until_job_ends(&self.start_task(name));
        self.log()[before..].to_owned()
    }

    pub fn scan(&self) {
        let query = "mutation ($input: ScanMetadataInput!) { metadataScan(input: $input) }";
        self.job(query, json!({"input": {}}));
    }

    /// What the script of Stash's pages asks now and then.
    pub fn page_asks(&self) -> String {
        let query = "mutation { runPluginOperation(plugin_id: \"Stash2Plex\", args: {mode: \"catch_up\"}) }";
        let answer = self.ask(query, json!({}));
        let answer = &answer["runPluginOperation"]["catch_up"];
        answer.as_str().unwrap_or_default().to_owned()
    }
}
