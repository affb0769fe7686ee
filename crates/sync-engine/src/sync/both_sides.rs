//! Which files both servers hold.

use scene_sync::Files;

use crate::core::outcome::Failure;
use crate::sync::convert;
use crate::sync::library_index::each_item;
use crate::sync::syncer::Syncer;

impl Syncer {
    /// The files of all scenes, and of all items of the libraries that are searched. `progress`
    /// hears how much of it is read, 0 to 1.
    ///
    /// # Errors
    /// One of the servers fails.
    pub async fn files(&self, mut progress: impl FnMut(f64)) -> Result<Files, Failure> {
        let mut files = Files::default();
        let libraries = self.libraries().await?;
        let (mut after, mut read) = (None, 0_u64);
        loop {
            let page = self.page(after).await?;
            read += (page.rows.len() + page.failed.len()) as u64;
            for scene in &page.rows {
                for file in convert::scene(scene).files {
                    files.in_stash(scene.id.0, &file);
                }
            }
            progress(read as f64 / page.total.max(1) as f64 / 2.0);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let (count, unread) = (libraries.chosen.len() as f64, &self.indexes.unread);
        for (n, library) in (1_u32..).zip(&libraries.chosen) {
            let take = |item: &plex::Item| {
                // What is in the trash is there no more.
                let there = item.files().filter(|_| item.deleted_at.is_none());
                there.for_each(|part| files.in_plex(&part.file, part.size));
            };
            each_item(&self.plex, library, unread, take).await?;
            progress(0.5 + f64::from(n) / count / 2.0);
        }
        Ok(files)
    }
}
