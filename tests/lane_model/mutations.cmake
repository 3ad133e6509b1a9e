# SPDX-License-Identifier: MIT
# Faults put into the real code, each of which the model must find: else it would
# prove nothing about the code without them.

# lane_model_mutation(<name> <parent_end|bundle|worker_end> <scenario> <violation> <old> <new>)
#
# The text <old> must be there just once, so that no fault falls out of use unseen.
function(lane_model_mutation name file scenario violation old new)
  set(source ${PROJECT_SOURCE_DIR}/src/lane/${file}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" "${old}" first)
  string(FIND "${text}" "${old}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "lane_model_mutation(${name}): its text is not in ${source} just once")
  endif()
  string(REPLACE "${old}" "${new}" text "${text}")
  set(mutant ${CMAKE_CURRENT_BINARY_DIR}/${name}/${file}.cpp)
  file(CONFIGURE OUTPUT ${mutant} CONTENT "${text}" @ONLY)
  set(parent_end ${PROJECT_SOURCE_DIR}/src/lane/parent_end.cpp)
  set(bundle ${PROJECT_SOURCE_DIR}/src/lane/bundle.cpp)
  set(worker_end ${PROJECT_SOURCE_DIR}/src/lane/worker_end.cpp)
  set(${file} ${mutant})
  lane_model_program(model.lane.${name} ${parent_end} ${bundle} ${worker_end})
  add_test(NAME lane_model/finds_${name} COMMAND model.lane.${name} ${scenario} ${violation})
  set_tests_properties(lane_model/finds_${name} PROPERTIES LABELS "lane_model;model" TIMEOUT 120)
endfunction()

# --- waiting and waking ---

lane_model_mutation(no_second_look worker_end goes_round_its_slots "nobody can go on"
  "if (nothing_to_do() && head.closing.load(std::memory_order_seq_cst) == 0) {"
  "{")
lane_model_mutation(asleep_too_late worker_end goes_round_its_slots "nobody can go on"
  [[  head.asleep.store(1, std::memory_order_seq_cst);
  kill_point(KillPoint::marked_asleep);
  const bool untidy = is_untidy();
  if (nothing_to_do() && head.closing.load(std::memory_order_seq_cst) == 0) {]]
  [[  const bool untidy = is_untidy();
  if (nothing_to_do() && head.closing.load(std::memory_order_seq_cst) == 0) {
    head.asleep.store(1, std::memory_order_seq_cst);]])
lane_model_mutation(done_over_the_waiter_bit worker_end goes_round_its_slots "nobody can go on"
  "if (place.compare_exchange_weak(word, settled_word(word, State::done))) break;"
  "place.store(settled_word(word, State::done)); break;")
lane_model_mutation(passes_in_silence worker_end revokes "nobody can go on"
  "          tell(next, word);"
  "")

# --- who wins a move ---

lane_model_mutation(revokes_without_asking parent_end rings_and_revokes "nobody can go on"
  "if (place.compare_exchange_weak(word, with_state(word, to))) return true;"
  "place.store(with_state(word, to)); return true;")
lane_model_mutation(condemns_without_asking parent_end condemns "than the condemned one"
  "const bool won = move(position, State::claimed, State::condemned);"
  "const bool won = is_claimed(position);
   if (won) slot(position).word.store(make_word(position, State::condemned));")
lane_model_mutation(claims_without_asking worker_end rings_and_revokes "a task is run twice"
  "if (next.word.compare_exchange_weak(word, with_state(word, State::claimed))) {"
  "next.word.store(with_state(word, State::claimed)); {")
lane_model_mutation(ignores_its_sentence worker_end condemns "being killed for another"
  "if (state_of(word) != State::claimed) return false;"
  "if (state_of(word) != State::claimed) return true;")
lane_model_mutation(reuses_ahead_of_the_worker parent_end revokes "nobody can go on"
  "return note.revoked ? Oldest::open : Oldest::impossible;"
  "return Oldest::passed;")

lane_model_mutation(cuts_without_asking bundle cuts "says the impossible"
  "slot(position).begun.fetch_or(cut_bit);"
  "slot(position).begun.load();")
lane_model_mutation(forgets_what_it_cut bundle cuts "says the impossible"
  "  note.count = static_cast<std::uint32_t>(kept);
"
  "")

# --- what is published when ---

lane_model_mutation(queues_before_it_writes parent_end goes_round_its_slots "a race"
  "  fill(to, parcel, begin_in_lane, fresh);
"
  "  to.word.store(make_word(position, State::queued, 0));
  fill(to, parcel, begin_in_lane, fresh);
")
lane_model_mutation(queues_relaxed parent_end goes_round_its_slots "a race"
  [[                std::memory_order_release);
  // The worker had]]
  [[                std::memory_order_relaxed);
  // The worker had]])
lane_model_mutation(answers_relaxed worker_end goes_round_its_slots "a race"
  "settled_word(word, State::done)))"
  "settled_word(word, State::done), std::memory_order_relaxed))")
lane_model_mutation(takes_relaxed parent_end goes_round_its_slots "a race"
  [[bool ParentEnd::take(Answer& answer) {
  if (head_ == tail_) return false;
  const std::uint64_t word = slot(head_).word.load(std::memory_order_acquire);]]
  [[bool ParentEnd::take(Answer& answer) {
  if (head_ == tail_) return false;
  const std::uint64_t word = slot(head_).word.load(std::memory_order_relaxed);]])
