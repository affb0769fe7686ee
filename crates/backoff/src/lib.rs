//! Exponential backoff with full jitter, retry budgets and retry runners: pure, seedable, proved never to exceed its cap.
