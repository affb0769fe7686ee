//! The breaker as a `tower` layer.
//!
//! ```
//! # tokio_test::block_on(async {
//! use std::sync::Arc;
//! use breaker::tower::BreakerLayer;
//! use breaker::{Breaker, CallError, Rules};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let breaker = Arc::new(Breaker::new(Rules::default().consecutive_failures(1)));
//! let service = BreakerLayer::new(breaker).layer(service_fn(async |_: ()| Err::<(), _>("refused")));
//!
//! assert_eq!(service.clone().oneshot(()).await, Err(CallError::Failed("refused")));
//! assert!(matches!(service.oneshot(()).await, Err(CallError::Rejected(_))));
//! # });
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::breaker::Breaker;
use crate::call::{CallError, by_result};
use crate::machine::{Outcome, Rejection};
use crate::permit::Permit;

/// Puts a [`Breaker`] around a service. All services of one layer, and all their clones, share it.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C = ByResult> {
    breaker: Arc<Breaker>,
    classify: C,
}

/// Says what a result means for the dependency.
pub trait Classifier<T, E> {
    /// What this result means.
    fn classify(&self, result: &Result<T, E>) -> Outcome;
}

/// `Ok` is a success, `Err` a failure.
#[derive(Clone, Copy, Debug)]
pub struct ByResult;

impl<T, E> Classifier<T, E> for ByResult {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        by_result(result)
    }
}

impl<T, E, F: Fn(&Result<T, E>) -> Outcome> Classifier<T, E> for F {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        self(result)
    }
}

impl BreakerLayer {
    /// A layer that counts each `Err` as a failure.
    #[must_use]
    pub fn new(breaker: Arc<Breaker>) -> Self {
        Self::classified(breaker, ByResult)
    }

    /// A layer where `classify` says what a result means for the dependency.
    #[must_use]
    pub fn classified<C>(breaker: Arc<Breaker>, classify: C) -> BreakerLayer<C> {
        BreakerLayer { breaker, classify }
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = BreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService {
            inner,
            breaker: Arc::clone(&self.breaker),
            classify: self.classify.clone(),
        }
    }
}

/// A service behind a [`Breaker`].
///
/// Readiness is the inner service's: whether a call may run is decided when it is made, so a
/// service that is made ready and then dropped leaves no permit behind.
#[derive(Clone, Debug)]
pub struct BreakerService<S, C = ByResult> {
    inner: S,
    breaker: Arc<Breaker>,
    classify: C,
}

impl<S, C, Request> Service<Request> for BreakerService<S, C>
where
    S: Service<Request>,
    C: Classifier<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = BreakerFuture<S::Future, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(CallError::Failed)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let state = match self.breaker.try_acquire_owned() {
            Ok(permit) => Call::Running {
                call: self.inner.call(request),
                permit,
                classify: self.classify.clone(),
            },
            Err(rejection) => Call::Rejected { rejection },
        };
        BreakerFuture { state }
    }
}

pin_project! {
    /// A call through a [`BreakerService`]. Dropping it before its end counts as cancelled.
    #[must_use = "a future does nothing until it is polled"]
    pub struct BreakerFuture<F, C> {
        #[pin]
        state: Call<F, C>,
    }
}

pin_project! {
    #[project = CallProjection]
    enum Call<F, C> {
        Running { #[pin] call: F, permit: Permit<Arc<Breaker>>, classify: C },
        Rejected { rejection: Rejection },
    }
}

impl<F, C, T, E> Future for BreakerFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classifier<T, E>,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            CallProjection::Rejected { rejection } => {
                Poll::Ready(Err(CallError::Rejected(*rejection)))
            }
            CallProjection::Running {
                call,
                permit,
                classify,
            } => {
                let result = ready!(call.poll(context));
                permit.report(classify.classify(&result));
                Poll::Ready(result.map_err(CallError::Failed))
            }
        }
    }
}
