//! The contract, on SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sqlite;
mod suite;

use sqlite::Sqlite;

conformance! { Sqlite:
    contract::{
        order_is_priority_then_due_time_then_age,
        nothing_is_claimed_before_it_is_due,
        a_batch_is_n_distinct_jobs_or_all_there_are,
        a_batch_is_enqueued_whole_or_not_at_all,
        a_settled_claim_is_settled_once,
        a_late_settle_is_refused_and_changes_nothing,
        extending_keeps_the_lease_and_never_shortens_it,
        a_lost_job_is_delivered_alone, attempts_count_only_what_was_tried,
        what_a_stopping_worker_holds_is_released,
        done_and_follow_ups_are_one_step,
        pause_stops_claims_in_all_processes_and_survives_restarts,
        pause_holds_jobs_in_every_state,
        an_oversized_payload_is_refused,
        a_write_by_another_handle_is_noticed,
        a_stepped_clock_takes_no_job_from_a_live_owner,
        a_hung_owner_loses_its_job_in_the_end,
        many_claimers_share_the_jobs,
    },
    clock::{
        a_released_job_is_ready_although_the_clock_was_set_back,
        a_ready_job_that_is_replaced_stays_ready,
        a_follow_up_that_was_due_stays_due,
        what_a_wrong_clock_put_off_waits_from_now_on,
    },
    dead::{
        a_job_that_kills_its_workers_is_dead_lettered,
        dead_letters_are_found_summed_up_redriven_and_purged,
        redrive_resets_attempts_and_keeps_the_history,
        redrive_never_makes_two_live_jobs_for_a_key,
    },
    keys::{
        replace_gives_the_idle_job_the_newest_payload,
        replace_keeps_the_earlier_due_time_and_the_more_urgent_priority,
        replace_gives_fresh_attempts,
        a_change_while_running_becomes_exactly_one_follow_up,
        a_follow_up_waits_for_its_own_due_time,
        a_follow_up_survives_the_death_of_the_owner,
        keep_keeps,
        reject_rejects,
        merged_payloads_lose_nothing,
        a_retried_job_follows_the_policy_too,
        keep_and_reject_leave_a_follow_up_alone,
        a_dead_letters_key_is_free,
        cancel_removes_a_job_in_every_state,
        superseded_payloads_are_counted_and_remembered,
    },
}
