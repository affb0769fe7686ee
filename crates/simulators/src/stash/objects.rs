//! Objects that have no node of their own: files, group entries, addresses.

use serde_json::{Value, json};

use super::resolve::Resolver;
use super::scene::{Entity, Scene, SceneFile};
use crate::clock;

impl Resolver<'_> {
    pub(super) fn file(&self, scene: &Scene, file: &SceneFile) -> Value {
        let basename = file.path.rsplit(['/', '\\']).next();
        let created_at = clock::rfc3339(scene.created_at, self.store.options.utc_offset);
        json!({
            "id": file.id.to_string(), "path": file.path, "basename": basename, "size": file.size, "duration": file.duration,
            "mod_time": created_at, "created_at": created_at, "updated_at": created_at, "parent_folder_id": "1",
            "format": "mp4", "width": 1920, "height": 1080, "video_codec": "h264", "audio_codec": "aac",
            "frame_rate": 25.0, "bit_rate": 3_250_000,
            "fingerprints": [{"type": "oshash", "value": file.oshash}], "fingerprint": file.oshash,
        })
    }

    pub(super) fn group(&self, group: &Entity, index: Option<u32>) -> Value {
        let address = format!(
            "{}/group/{}/frontimage?t={}",
            self.base, group.id, group.updated
        );
        let group = json!({
            "id": group.id.to_string(), "name": group.name, "aliases": group.aliases.join(", "), "urls": [],
            "front_image_path": address,
        });
        json!({"group": group, "movie": group, "scene_index": index})
    }

    pub(super) fn paths(&self, scene: &Scene) -> Value {
        let base = format!("{}/scene/{}", self.base, scene.id);
        // The stream's address carries the API key in clear.
        let key = self
            .store
            .options
            .api_key
            .as_ref()
            .map(|key| format!("?apikey={key}"))
            .unwrap_or_default();
        let oshash = scene.files.first().map_or("", |file| &file.oshash);
        json!({
            "screenshot": format!("{base}/screenshot?t={}", scene.updated), "preview": format!("{base}/preview"),
            "stream": format!("{base}/stream{key}"), "webp": format!("{base}/webp"),
            "vtt": format!("{}/scene/{oshash}_thumbs.vtt", self.base), "sprite": format!("{}/scene/{oshash}_sprite.jpg", self.base),
            "funscript": format!("{base}/funscript"), "interactive_heatmap": format!("{base}/interactive_heatmap"),
            "caption": format!("{base}/caption"),
        })
    }
}
