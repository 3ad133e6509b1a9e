// SPDX-License-Identifier: MIT
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "how_many_snakes/answer.hpp"
#include "how_many_snakes/measure.hpp"
#include "how_many_snakes/table.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace snakes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// 8 s serially; then as many seconds as said on 1, 2, 3 .. processes.
Report processes(const std::vector<double>& seconds) {
  Report report{.rows = {{Kind::serial, 1, 8}}, .bytes = 16'000'000, .longest_seconds = 0.1};
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    report.rows.push_back({Kind::processes, i + 1, seconds[i]});
  }
  return report;
}

constexpr Machine two_cpus{.online = 2, .affinity = 2, .usable = 2};

TEST(answer, is_the_first_number_after_which_one_more_gains_less_than_five_percent) {
  const auto answer = answer_of(processes({8, 4, 3.9, 2}), Kind::processes);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->workers, 2U);
  EXPECT_DOUBLE_EQ(answer->speedup, 2);
  EXPECT_NEAR(*answer->next_gain, 4 / 3.9 - 1, 1e-12);
}

TEST(answer, counts_a_loss_as_no_gain) {
  EXPECT_EQ(answer_of(processes({8, 9}), Kind::processes)->workers, 1U);
  EXPECT_THAT(explain(processes({8, 10}), two_cpus), HasSubstr("one more loses 20 %.\n"));
}

TEST(answer, is_open_where_the_largest_number_still_paid) {
  const auto answer = answer_of(processes({8, 4, 3}), Kind::processes);
  EXPECT_EQ(answer->workers, 3U);
  EXPECT_FALSE(answer->next_gain);
  EXPECT_THAT(explain(processes({8, 4, 3}), two_cpus), HasSubstr("--workers goes further"));
}

TEST(answer, spreads_a_gain_over_the_numbers_left_out) {
  // 10 % for two workers more is less than 5 % for each.
  const Report report{
      .rows = {{Kind::serial, 1, 8}, {Kind::processes, 8, 1.1}, {Kind::processes, 10, 1}}};
  EXPECT_EQ(answer_of(report, Kind::processes)->workers, 8U);
}

TEST(answer, is_none_for_a_kind_that_was_not_tried) {
  EXPECT_FALSE(answer_of(processes({8}), Kind::threads));
  EXPECT_THAT(explain(processes({8}), two_cpus), Not(HasSubstr("thread")));
}

TEST(explanation, names_number_speedup_gain_and_what_limits_the_cpus) {
  const std::string text = explain(processes({8, 4, 3.96}), {4, 3, 2});
  EXPECT_THAT(text, HasSubstr("You need 2 processes: 2.00 times the serial speed, and one more "
                              "gains 1 %, less than 5 %.\n"));
  EXPECT_THAT(text, HasSubstr("2 CPUs (4 online, affinity 3, cgroup quota 2).\n"));
  EXPECT_THAT(text, HasSubstr("That is one for each CPU"));
}

TEST(explanation, blames_a_long_file_where_it_is_the_limit) {
  Report report = processes({8, 7.9});
  report.longest_seconds = 7.5;
  EXPECT_THAT(explain(report, two_cpus), HasSubstr("one file alone takes 7.50 of the 8.00 s"));
}

TEST(explanation, tells_more_workers_than_cpus_from_fewer) {
  EXPECT_THAT(explain(processes({8, 4, 2, 2}), two_cpus), HasSubstr("more than there are CPUs"));
  EXPECT_THAT(explain(processes({8, 4, 4}), {4, 4, 4}), HasSubstr("fewer than there are CPUs"));
}

TEST(explanation, says_when_the_plain_loop_does_as_well) {
  EXPECT_THAT(explain(processes({16, 8.1}), two_cpus),
              HasSubstr("You need no processes: 2 processes reach 0.99 times the serial speed"));
  EXPECT_THAT(explain(processes({16, 20}), two_cpus),
              HasSubstr("You need no processes: 1 process reaches 0.50 times the serial speed, "
                        "and one more loses 20 %"));
  EXPECT_THAT(explain(processes({9}), {1, 1, 1}), HasSubstr("There is one CPU"));
  EXPECT_THAT(explain(processes({4}), two_cpus), Not(HasSubstr("You need no")));
}

TEST(explanation, doubts_numbers_of_a_busy_machine_and_of_a_short_run) {
  Report report = processes({8, 4, 4});
  EXPECT_THAT(explain(report, two_cpus), Not(HasSubstr("But ")));
  report.others = 0.25;
  EXPECT_THAT(explain(report, two_cpus), HasSubstr("But other programs used 25 % of this machine"));
  report.rows[0].seconds = 0.01;
  EXPECT_THAT(explain(report, two_cpus), HasSubstr("0.010 s, too short to tell"));
}

TEST(machine, sees_what_others_use_of_it) {
  const CpuWatch watch;
  // As long as it is not reaped, it is another's.
  const int busy = ::fork();
  for (volatile bool for_ever = busy == 0; for_ever;) {
  }
  const double part_of_one_cpu = 0.1 / static_cast<double>(this_machine().online);
  const brood::testing::Watchdog watchdog;
  EXPECT_TRUE(watchdog.sees([&] { return watch.others() > part_of_one_cpu; }));
  ::kill(busy, SIGKILL);
  ::waitpid(busy, nullptr, 0);
}

TEST(worker_counts, are_all_to_eight_then_eight_a_doubling_and_the_most) {
  EXPECT_THAT(worker_counts(1), ElementsAre(1));
  EXPECT_THAT(worker_counts(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(worker_counts(19), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 19));
  EXPECT_EQ(worker_counts(1024).size(), 8U + 7 * 4);
}

TEST(table, has_speedup_efficiency_and_rate) {
  const Report report = processes({8, 5});
  EXPECT_EQ(table_line(report, report.rows[2]),
            "processes        2    5.000 s     1.60        80 %       3.2");
  EXPECT_EQ(table_head().size(), table_line(report, report.rows[0]).size());
}

}  // namespace
