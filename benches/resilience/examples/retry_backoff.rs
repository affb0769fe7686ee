//! Asks for a page, up to 5 times within 30 s; one that is busy (503) or cannot be reached is asked
//! again, not before its `Retry-After`. With `outlast-backoff`.

use std::time::Duration;

use backoff::{Hint, Retry};
use reqwest::{Response, header::RETRY_AFTER};

fn hint(result: &reqwest::Result<Response>) -> Hint {
    match result {
        Ok(answer) if answer.status() == 503 => {
            let after = answer.headers().get(RETRY_AFTER);
            let seconds = after.and_then(|text| text.to_str().ok()?.parse().ok());
            Hint::RetryAfter(Duration::from_secs(seconds.unwrap_or(0)))
        }
        Ok(_) => Hint::Final,
        Err(_) => Hint::Transient,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let answer = Retry::default()
        .max_tries(5)
        .deadline(Duration::from_secs(30))
        .call_tokio(|| reqwest::get("http://127.0.0.1:8080/"))
        .hint(hint)
        .notify(|retrying| eprintln!("{retrying}"))
        .run_async()
        .await?;
    println!("{}", answer.text().await?);
    Ok(())
}
