//! The promises whose keeping depends on the I/O model, tried on chatd's versions in the two other models: the same tests,
//! each under its own name. And what is true of those versions alone. What the core does, whoever drives it (names,
//! commands, telnet, what is cleaned), is tried once, on chatd.

use crate::{
    harness::{Client, Program, Server, eventually, server::take_descriptors},
    threads_max::lets_somebody_in,
};

/// A module for each program.
macro_rules! promises {
    ({ $($program:ident: $which:expr,)* } keep $promises:tt) => {
        $(mod $program { keeps!($which, $promises); })*
    };
}

promises! {
    { select: crate::harness::Program::Select, epoll: crate::harness::Program::Epoll, }
    keep {
        protocol::every_conversation_on_the_page_happens,
        page_model::each_client_reads_what_the_page_says,
        page_model::conversations_that_have_failed_once_do_not_any_more,
        accounts::who_comes_with_a_slip_chooses_a_password_of_their_own,
        lasting::while_accounts_cannot_be_read_names_are_marked_and_everybody_is_told,
        lasting::a_file_that_can_be_read_and_not_written_leaves_nobody_unchecked,
        lasting::who_comes_before_a_shutdown_is_told,
        asking::a_slip_in_a_length_of_time_bans_nobody,
        asking::mail_that_was_just_read_is_replied_to,
        asking::a_line_is_removed_during_an_outage_too,
        order::two_talkers_at_full_speed_twenty_listeners_one_sequence,
        order::past_and_present_meet_without_a_gap_or_a_repeat,
        order::they_meet_too_when_the_past_is_read_from_the_file,
        resuming::a_cut_client_comes_back_as_they_were_and_misses_nothing,
        resuming::a_token_holds_after_a_stop_and_after_kill_9,
        resuming::who_comes_back_in_an_outage_comes_back_after_kill_9_too,
        resuming::who_comes_back_to_a_full_server_has_their_own_place,
        resuming::of_two_programs_with_one_token_one_comes_in,
        resuming::a_stolen_token_is_good_once_and_its_owner_is_told_and_comes_in_by_the_password,
        resuming::a_connection_that_is_half_dead_is_ended_at_once,
        resuming::a_locked_entrance_lets_in_who_comes_back_and_nobody_else,
        resuming::odd_words_behind_these_commands_harm_nobody,
        flood::a_flooder_is_delayed_and_told_once_and_the_others_notice_nothing,
        slow_consumer::eight_of_64_stop_reading_and_the_others_get_every_line,
        slow_consumer::the_write_deadline_finds_who_reads_nothing_in_a_quiet_room,
        slow_consumer::a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark,
        slow_consumer::a_joiner_does_not_wait_for_one_that_is_stuck_in_a_long_answer,
        slow_consumer::one_that_reads_again_in_time_is_told_why_it_was_hung_up,
        shutdown::everybody_is_told_and_the_exit_code_is_0,
        shutdown::what_was_accepted_is_delivered,
        shutdown::a_stop_takes_nothing_more_of_those_who_talk_without_end,
        shutdown::a_stop_that_loses_something_says_so_and_does_not_end_with_0,
        shutdown::stuck_clients_do_not_hold_it_up,
        shutdown::a_second_signal_ends_it_at_once,
        shutdown::a_terminal_that_is_closed_is_one_signal,
        shutdown::a_signal_that_was_ignored_at_the_start_stays_ignored,
        hostile::a_name_is_free_at_once_however_its_owner_went,
        threads_max::client_513_is_refused_in_a_sentence_and_nobody_inside_notices,
        threads_max::a_class_that_arrives_in_one_second_fits_the_accept_queue,
        threads_max::clients_that_say_one_line_and_go_are_heard_and_leave_nothing_behind,
        threads_max::half_a_line_before_the_end_of_file_is_a_line,
        sources::six_scripts_that_reconnect_have_six_bursts_and_one_refill,
        sources::an_administrator_is_in_within_three_seconds_while_scripts_hold_the_reserved_places,
        sources::scripts_that_come_and_go_keep_no_administrator_out,
        guessers::an_owner_is_in_within_three_seconds_while_four_scripts_guess_at_the_name,
        sources::a_pupil_is_in_within_seconds_while_scripts_at_the_same_address_connect_and_close,
        sources::twelve_that_paste_twenty_lines_each_are_not_one,
        sources::a_class_comes_at_once_again_and_again_and_after_a_restart,
        sources::a_class_that_is_thrown_out_and_is_back_at_once_fills_the_same_places,
        sources::a_thousand_connections_are_refused_in_a_sentence_and_counted_in_the_log,
        threads_max::one_that_gives_no_name_in_time_is_hung_up_however_slowly_it_types,
        time::an_event_has_the_time_at_which_it_is_taken,
        time::a_clock_that_is_behind_the_file_is_told_in_the_log,
        time::a_clock_that_jumps_for_a_moment_costs_nothing,
        time::what_is_too_old_is_told_by_nobody_after_a_restart,
        time::a_zone_is_given_by_its_name_by_a_file_or_by_its_rule,
        time::a_zone_that_is_not_known_is_told_in_the_log,
        history::what_anybody_was_shown_is_there_after_kill_9,
        identity::the_mark_of_an_administrator_outlives_the_server,
        identity::administrators_come_in_past_a_ban_and_nobody_else_does,
        identity::a_sanction_outlives_names_connections_and_the_server,
        identity::a_muted_guest_who_comes_again_is_muted_still,
        identity::in_a_paused_room_nobody_else_says_anything_new,
        class::each_of_a_class_has_one_answer_and_all_read_the_count,
        identity::the_floor_is_given_to_a_hand_and_goes_with_the_connection,
        identity::a_pause_and_a_topic_outlive_the_server,
        identity::the_topics_of_quiet_rooms_come_back,
        instructor::four_scripts_that_guess_the_code_are_no_more_guesses_than_one,
        instructor::the_code_goes_nowhere,
        instructor::an_instructors_rights_end_with_the_connection,
        start::a_limit_on_address_space_is_said_and_held,
        start::nobody_inside_waits_for_descriptors,
        terminals::who_negotiates_telnet_reads_cr_lf_and_nobody_else_does,
        terminals::a_browser_says_nothing_to_the_room,
        terminals::half_a_line_that_a_reset_cuts_off_is_dropped,
        terminals::half_a_line_is_dropped_when_the_server_hangs_up,
        terminals::bytes_that_are_no_lines_are_limited_like_lines,
        terminals::lines_that_grow_when_they_are_shown_put_nobody_over_the_mark,
        operator::another_password_ends_the_sessions_of_that_account_and_no_others,
        operator::bans_from_a_shell_hold_at_once_and_lifted_ones_hold_no_longer,
        operator::a_line_in_a_room_that_made_way_for_others_is_removed_too,
        operator::what_is_out_of_reach_without_unicode_names_is_logged_before_anybody_comes,
        operator::a_freed_name_is_free_and_its_owner_is_told,
        options::a_value_that_is_admitted_works,
        options::one_place_is_enough_for_one_client,
        proxies::a_proxy_says_where_its_clients_are,
        proxies::from_elsewhere_a_proxy_header_is_nobodys_word,
        proxies::a_proxy_that_sends_no_header_is_told_what_is_demanded,
        proxies::silent_connections_of_a_proxy_end_and_delay_nobody,
        unix_sockets::who_comes_by_a_file_chats_with_who_comes_by_a_port,
        unix_sockets::what_a_script_sent_before_it_closed_is_said,
        unix_sockets::limits_and_bans_hold_for_a_user,
    }
}

const LOOPS: [Program; 2] = [Program::Select, Program::Epoll];

#[test]
fn many_clients_are_one_thread_the_log_and_the_historian() {
    for program in LOOPS {
        program.keeps(|| {
            let server = Server::start("");
            let _clients = server.enter(["alice", "bob", "carol"]);
            eventually("the main thread is called like the program", || {
                let mut names = server.thread_names(); // a thread takes its name itself, a moment after its start
                names.sort();
                names == [program.name(), "historian", "logger"]
            });
        });
    }
}

/// `clients` are here, and have read what they are asked for.
fn fill(server: &Server, clients: usize) -> Vec<Client> {
    let mut clients = server.connect_all(0..clients);
    for client in &mut clients {
        client.hears_until("*** What is your name?");
    }
    clients
}

#[test]
fn the_limit_of_select_is_told_at_the_start_and_held() {
    Program::Select.keeps(|| {
        let server = Server::start("--threads-max 1200 --flood off");
        server.logs("can hold 992 clients, not 1200: its limit on descriptors in one select (FD_SETSIZE) is 1024");
        let [mut alice] = server.enter(["alice"]);
        let _clients = fill(&server, 991);
        let mut late = server.connect("late");
        late.hears("*** Sorry: all 992 places are taken. Please try again later.");
        alice.hears_nothing();
    });
}

#[test]
fn a_descriptor_beyond_the_limit_of_select_is_refused_in_a_sentence() {
    const SORRY: &str =
        "*** Sorry: select can watch 1024 descriptors, and they are taken. Please try again later.";
    Program::Select.keeps(|| {
        // Nearly all that lie below the limit are taken before the server starts.
        let server = Server::start_after(&take_descriptors(997), "");
        let [mut alice, mut bob] = server.enter(["alice", "bob"]);
        let mut clients = server.connect_all(0..24);
        let lines: Vec<String> = clients.iter_mut().map(|client| client.reads().unwrap()).collect();
        let admitted = lines.iter().filter(|line| line.starts_with("*** Welcome")).count();
        assert!(admitted > 0 && admitted < 24, "{lines:?}");
        assert!(lines[admitted..].iter().all(|line| line == SORRY), "{lines:?}");

        bob.says("/quit");
        alice.hears("*** bob left lobby (quit)");
        drop(bob);
        eventually("a descriptor below the limit is free", || lets_somebody_in(&server));
        alice.hears_nothing();
    });
}

#[test]
fn epoll_has_no_such_limit() {
    Program::Epoll.keeps(|| {
        let mut server = Server::start("--threads-max 1200 --flood off");
        let [mut alice] = server.enter(["alice"]);
        let _clients = fill(&server, 1199);
        alice.hears_nothing();
        assert!(server.is_running());
    });
}

#[test]
fn a_loop_under_64_descriptors_says_the_true_number() {
    for program in LOOPS {
        program.keeps(|| {
            let server = Server::start_after("ulimit -n 64", "");
            server.logs("can hold 32 clients, not 512: its limit on open files (ulimit -n) is 64");
            drop(server.connect_all(0..100));
            eventually("there is room again", || lets_somebody_in(&server));
            let log = server.log();
            assert!(!log.contains("cannot accept"), "the refused leave descriptors: {log}");
        });
    }
}
