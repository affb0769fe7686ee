//! Every state that a few callers can reach, and every event in each of them.
//!
//! Callers are interleaved in every order; each may finish in every way, or die and never be heard
//! of. States that differ only in when they happened or in how tickets are numbered are one state,
//! which makes their number finite: nothing here is cut off at a depth. Bounds: as many callers as
//! [`CALLERS`], and time in steps of a second.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use breaker::machine::{Circuit, Event, Mode, Reply, Role, State, Step, Ticket, step};
use breaker::{Kind, Outcome, Rules, Time, Why};

const CALLERS: usize = 3;
const TICK: Duration = Duration::from_secs(1);
const OPEN_FOR: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(2);
const EARLY: Duration = Duration::from_secs(1);
/// What every state calls "now".
const NOW: Time = Time::from_unix_micros(1_000_000_000);

const OUTCOMES: [Outcome; 5] = [
    Outcome::Success,
    Outcome::Failure,
    Outcome::Ignored,
    Outcome::Cancelled,
    Outcome::Panicked,
];

/// A breaker with its callers, and what an onlooker who knows nothing of the machine's insides has
/// seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    state: State,
    callers: [Option<Ticket>; CALLERS],
    /// Trials of this generation that were granted and not reported: when their leases end.
    trials: Vec<(u64, Time)>,
    /// When the open interval is over, as promised when the circuit opened.
    promised: Option<Time>,
}

/// The rules, and what of them the onlooker knows.
struct Case {
    rules: Rules,
    trials: usize,
    early: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Ask(usize),
    Finish(usize, Outcome),
    /// The caller's process is killed.
    Die(usize),
    Tick,
    Order(Event),
}

fn moves(world: &World) -> Vec<Move> {
    let orders = [
        Event::SuggestTrial,
        Event::ForceOpen("by hand".into()),
        Event::Disable,
        Event::Enable,
        Event::Reset,
    ];
    let mut moves = vec![Move::Tick];
    moves.extend(orders.map(Move::Order));
    for (caller, ticket) in world.callers.iter().enumerate() {
        if ticket.is_none() {
            moves.push(Move::Ask(caller));
            continue;
        }
        moves.push(Move::Die(caller));
        moves.push(Move::Finish(caller, Outcome::Trip("trip".into())));
        moves.extend(OUTCOMES.map(|outcome| Move::Finish(caller, outcome)));
    }
    moves
}

/// Makes a move, checks what must hold, and gives the world after it.
fn make(case: &Case, world: &World, movement: Move) -> World {
    let mut next = world.clone();
    let mut now = NOW;
    let event = match movement {
        Move::Ask(_) => Event::Acquire,
        Move::Finish(caller, outcome) => {
            let ticket = next.callers[caller].take().unwrap();
            Event::Finish {
                ticket,
                outcome,
                took: Duration::ZERO,
            }
        }
        Move::Die(caller) => {
            next.callers[caller] = None;
            return canonical(next, now);
        }
        Move::Tick => {
            now = now + TICK;
            next.trials.retain(|(_, expires)| *expires > now);
            return canonical(next, now);
        }
        Move::Order(event) => event,
    };
    let after = step(&case.rules, world.state.clone(), event, now);
    check(case, world, event, &after);

    if let (Move::Ask(caller), Reply::Admitted(ticket)) = (movement, after.reply) {
        next.callers[caller] = Some(ticket);
    }
    if after.state.generation != world.state.generation {
        next.trials.clear();
    }
    match (event, after.reply) {
        (
            Event::Acquire,
            Reply::Admitted(Ticket {
                role: Role::Trial(id),
                ..
            }),
        ) => next.trials.push((id, now + LEASE)),
        (
            Event::Finish {
                ticket:
                    Ticket {
                        role: Role::Trial(id),
                        ..
                    },
                ..
            },
            Reply::Done,
        ) => {
            next.trials.retain(|(trial, _)| *trial != id);
        }
        _ => {}
    }
    if let Some(transition) = after.transition {
        next.promised = (transition.to == Kind::Open).then_some(now + OPEN_FOR);
    }
    next.state = after.state;
    canonical(next, now)
}

/// What must hold for each event in each state.
fn check(case: &Case, world: &World, event: Event, after: &Step) {
    let rules = &case.rules;
    let before = &world.state;
    let context = || format!("{event:?} at {NOW:?} in {world:#?} gave {after:#?}");

    // A transition is told exactly when the name of the state changes, and begins a generation.
    match after.transition {
        Some(told) => {
            assert_eq!(
                (told.from, told.to),
                (before.kind(), after.state.kind()),
                "{}",
                context()
            );
            assert_ne!(told.from, told.to, "{}", context());
            assert_eq!(
                (told.generation, told.generation),
                (before.generation + 1, after.state.generation)
            );
        }
        None => assert_eq!(before.kind(), after.state.kind(), "{}", context()),
    }
    // No state points further ahead than the rules allow.
    assert_eq!(
        after.state.clone().bounded(rules, NOW),
        after.state,
        "{}",
        context()
    );

    match (event, after.reply) {
        (Event::Acquire, Reply::Admitted(ticket)) => {
            assert_eq!(ticket.generation, after.state.generation, "{}", context());
            match ticket.role {
                // Never more trials than allowed, counting those of callers that died.
                Role::Trial(id) => {
                    assert!(world.trials.len() < case.trials, "{}", context());
                    assert!(
                        world.trials.iter().all(|(other, _)| *other != id),
                        "{}",
                        context()
                    );
                    assert_eq!(after.state.kind(), Kind::HalfOpen);
                }
                Role::Call => assert_eq!(after.state.kind(), Kind::Closed, "{}", context()),
                Role::Shadow => assert!(before.is_shadow(), "{}", context()),
            }
            // An open interval never shortens.
            if !before.is_shadow() {
                assert!(
                    world.promised.is_none_or(|promised| promised <= NOW),
                    "{}",
                    context()
                );
            }
        }
        (Event::Acquire, Reply::Rejected(rejection)) => {
            assert!(!before.is_shadow(), "{}", context());
            assert_eq!(
                rejection.why == Why::ForcedOpen,
                rejection.retry_at.is_none()
            );
            // An open interval never grows either, whatever came in meanwhile.
            if rejection.why == Why::Open {
                assert_eq!(rejection.retry_at, world.promised, "{}", context());
            }
            // While trials are out nobody knows when they end: soon, and no later than the first
            // lease.
            if rejection.why == Why::TrialsOut {
                let retry_at = rejection.retry_at.unwrap();
                let lease = world.trials.iter().map(|(_, expires)| *expires).min();
                assert!(NOW < retry_at && Some(retry_at) <= lease, "{}", context());
                assert!(retry_at <= NOW + 2 * LEASE, "{}", context());
            }
            // The rejection tells the truth: a moment before is too early, and then is early
            // enough.
            if let (Why::Open, Some(retry_at)) = (rejection.why, rejection.retry_at) {
                assert!(retry_at > NOW, "{}", context());
                let moment = Duration::from_micros(1);
                let early =
                    Time::from_unix_micros((retry_at - Time::ZERO - moment).as_micros() as u64);
                let asked = |at| step(rules, after.state.clone(), Event::Acquire, at).reply;
                assert!(matches!(asked(early), Reply::Rejected(_)), "{}", context());
                assert!(
                    matches!(asked(retry_at), Reply::Admitted(_)),
                    "{}",
                    context()
                );
            }
        }
        (Event::Acquire, reply) => panic!("{reply:?} is no answer: {}", context()),
        (Event::SuggestTrial, Reply::Done) if before.kind() == Kind::Open => {
            let promised = world.promised.unwrap();
            assert!(promised <= NOW + (OPEN_FOR - case.early), "{}", context());
            assert_eq!(after.state.kind(), Kind::HalfOpen, "{}", context());
        }
        (Event::SuggestTrial, Reply::Rejected(rejection)) if rejection.why == Why::Open => {
            let retry_at = rejection.retry_at.unwrap();
            let again = step(rules, after.state.clone(), Event::SuggestTrial, retry_at);
            assert!(
                retry_at > NOW && again.reply == Reply::Done,
                "{}",
                context()
            );
        }
        (Event::Finish { ticket, .. }, reply) => {
            let lease_is_over = match ticket.role {
                Role::Trial(id) => !world.trials.iter().any(|(trial, _)| *trial == id),
                Role::Call | Role::Shadow => false,
            };
            // A stale result changes nothing; any other is taken.
            let stale = ticket.generation != before.generation || lease_is_over;
            assert_eq!(reply == Reply::Stale, stale, "{}", context());
            if stale {
                assert_eq!(
                    kind_and_generation(&after.state),
                    kind_and_generation(before),
                    "{}",
                    context()
                );
            }
        }
        _ => {}
    }
}

fn kind_and_generation(state: &State) -> (Kind, u64) {
    (state.kind(), state.generation)
}

/// Nobody gets stuck: with time and a dependency that answers, each state leads to a closed
/// circuit, but one that a person holds open.
fn recovers(rules: &Rules, world: &World) {
    let mut state = world.state.clone();
    let mut now = NOW + OPEN_FOR + LEASE;
    if state.kind() == Kind::ForcedOpen {
        let reply = step(
            rules,
            state,
            Event::Acquire,
            NOW + Duration::from_secs(1 << 40),
        )
        .reply;
        assert!(matches!(reply, Reply::Rejected(rejection) if rejection.why == Why::ForcedOpen));
        return;
    }
    for _ in 0..4 {
        let asked = step(rules, state, Event::Acquire, now);
        let Reply::Admitted(ticket) = asked.reply else {
            panic!("stuck: {world:#?}")
        };
        now = now + Duration::from_millis(1);
        let finished = Event::Finish {
            ticket,
            outcome: Outcome::Success,
            took: Duration::ZERO,
        };
        state = step(rules, asked.state, finished, now).state;
    }
    assert_eq!(state.kind(), Kind::Closed, "does not recover: {world:#?}");
}

/// The same world with `now` called [`NOW`], and with tickets and trials numbered afresh.
fn canonical(mut world: World, now: Time) -> World {
    let back = |time: Time| {
        let moved = Time::from_unix_micros(time.unix_micros() - (now - NOW).as_micros() as u64);
        // Beyond the longest interval the past makes no difference.
        moved.max(Time::from_unix_micros(NOW.unix_micros() - 3_000_000))
    };
    let State {
        generation,
        openings,
        last_trial,
        mode,
    } = &mut world.state;
    let current = std::mem::replace(generation, 1);
    *openings = 0;
    *last_trial = NOW.unix_micros() - 1;
    let mut live = Vec::new();
    match mode {
        Mode::ForcedOpen { since, .. } => *since = back(*since),
        Mode::Enforced(circuit) | Mode::Shadow(circuit) => match circuit {
            Circuit::Closed { recovered_at, .. } => *recovered_at = recovered_at.map(back),
            Circuit::Open { since, until, .. } => {
                *since = back(*since);
                *until = back(*until);
            }
            Circuit::HalfOpen {
                opened_at, trials, ..
            } => {
                *opened_at = back(*opened_at);
                live = trials.iter().map(|trial| trial.id).collect();
                for trial in trials.iter_mut() {
                    trial.expires_at = back(trial.expires_at);
                }
            }
        },
    }
    // Below any number that can be given from here on; a trial that is out no more is number 0.
    let renumber = |id: u64| match live.iter().position(|other| *other == id) {
        Some(place) => NOW.unix_micros() - 10 + place as u64,
        None => 0,
    };
    if let Mode::Enforced(Circuit::HalfOpen { trials, .. })
    | Mode::Shadow(Circuit::HalfOpen { trials, .. }) = mode
    {
        for trial in trials.iter_mut() {
            trial.id = renumber(trial.id);
        }
    }
    for ticket in world.callers.iter_mut().flatten() {
        if let Role::Trial(id) = &mut ticket.role {
            *id = renumber(*id);
        }
        ticket.generation = u64::from(ticket.generation == current);
    }
    // Which caller holds which ticket makes no difference.
    world.callers.sort_by_key(|ticket| format!("{ticket:?}"));
    for (id, expires) in &mut world.trials {
        *id = renumber(*id);
        *expires = back(*expires);
    }
    world.trials.sort();
    world.promised = world.promised.map(back);
    world
}

fn explore(case: &Case) -> usize {
    let state = State {
        generation: 1,
        ..State::default()
    };
    let start = World {
        state,
        callers: [None; CALLERS],
        trials: Vec::new(),
        promised: None,
    };
    let start = canonical(start, NOW);
    let mut seen = HashSet::from([start.clone()]);
    let mut ahead = VecDeque::from([start]);
    while let Some(world) = ahead.pop_front() {
        recovers(&case.rules, &world);
        for movement in moves(&world) {
            let next = make(case, &world, movement);
            if seen.insert(next.clone()) {
                ahead.push_back(next);
            }
        }
    }
    seen.len()
}

fn case(trials: u32, successes: u32) -> Case {
    let rules = Rules::default()
        .consecutive_failures(2)
        .open_for(OPEN_FOR)
        .trial_lease(LEASE)
        .trials(trials)
        .successes_to_close(successes);
    Case {
        rules,
        trials: trials as usize,
        early: OPEN_FOR,
    }
}

// The numbers of states guard the exploration itself: one that is cut short, or no longer ends in
// few states, is wrong.

#[test]
fn one_trial_closes() {
    assert_eq!(explore(&case(1, 1)), 2358);
}

#[test]
fn two_successes_close() {
    assert_eq!(explore(&case(1, 2)), 3194);
}

#[test]
fn two_trials_at_a_time() {
    assert_eq!(explore(&case(2, 2)), 6234);
}

#[test]
fn trials_may_be_suggested() {
    let case = case(1, 1);
    let early = Case {
        rules: case.rules.early_trial_after(EARLY),
        early: EARLY,
        ..case
    };
    assert_eq!(explore(&early), 2560);
}
