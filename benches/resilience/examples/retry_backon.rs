//! The program of `retry_backoff`, with `backon`.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::RETRY_AFTER;

type Failed = (String, Duration);

async fn fetch() -> Result<reqwest::Response, Failed> {
    let answer = reqwest::get("http://127.0.0.1:8080/").await;
    let answer = answer.map_err(|error| (error.to_string(), Duration::ZERO))?;
    if answer.status() != 503 {
        return Ok(answer);
    }
    let after = answer.headers().get(RETRY_AFTER);
    let seconds = after.and_then(|text| text.to_str().ok()?.parse().ok());
    Err(("busy".to_owned(), Duration::from_secs(seconds.unwrap_or(0))))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut tries = 0;
    let policy = ExponentialBuilder::default()
        .with_max_times(4)
        .with_max_delay(Duration::from_secs(20))
        .with_total_delay(Some(Duration::from_secs(30)))
        .with_jitter();
    let answer = fetch
        .retry(policy)
        .adjust(|(_, after), delay| Some(delay?.max(*after)))
        .notify(|(error, _), delay| {
            tries += 1;
            eprintln!("try {tries} failed: {error}; trying again in {delay:?}");
        })
        .await
        .map_err(|(error, _)| error)?;
    println!("{}", answer.text().await?);
    Ok(())
}
