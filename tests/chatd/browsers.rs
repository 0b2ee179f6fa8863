//! The promises of chatd, kept to browsers: the same tests, with clients that speak by WebSocket. What is a browser's alone
//! is in tests/web.

keeps!(crate::harness::Program::Browser, {
    protocol::every_conversation_on_the_page_happens,
    order::two_talkers_at_full_speed_twenty_listeners_one_sequence,
    order::past_and_present_meet_without_a_gap_or_a_repeat,
    flood::a_flooder_is_delayed_and_told_once_and_the_others_notice_nothing,
    slow_consumer::eight_of_64_stop_reading_and_the_others_get_every_line,
    slow_consumer::the_write_deadline_finds_who_reads_nothing_in_a_quiet_room,
    slow_consumer::a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark,
    slow_consumer::a_joiner_does_not_wait_for_one_that_is_stuck_in_a_long_answer,
    slow_consumer::one_that_reads_again_in_time_is_told_why_it_was_hung_up,
    shutdown::everybody_is_told_and_the_exit_code_is_0,
    shutdown::what_was_accepted_is_delivered,
    threads_max::client_513_is_refused_in_a_sentence_and_nobody_inside_notices,
    resuming::a_cut_client_comes_back_as_they_were_and_misses_nothing,
    resuming::a_token_holds_after_a_stop_and_after_kill_9,
    resuming::who_comes_back_to_a_full_server_has_their_own_place,
    sources::twelve_that_paste_twenty_lines_each_are_not_one,
    identity::administrators_come_in_past_a_ban_and_nobody_else_does,
    options::one_place_is_enough_for_one_client,
});
