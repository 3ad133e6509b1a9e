// SPDX-License-Identifier: MIT
#include "how_many_snakes/runs.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "programs/scratch_folder.hpp"

namespace {

using namespace snakes;
using snakes::testing::ScratchFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Pools : public ::testing::TestWithParam<Kind> {
 protected:
  const ScratchFolder folder;
  const std::vector<File> files{folder.write("one", "1"), folder.write("two", "22"),
                                folder.write("three", "333")};
  const Baseline baseline = run_serially(files);

  Differences differences_of_a_run() {
    return differences(baseline, run_on_pool(baseline.files, GetParam(), 2).outcomes);
  }
};

TEST_P(Pools, find_what_the_plain_loop_finds) {
  EXPECT_EQ(baseline.digests.size(), 3U);
  const Differences found = differences_of_a_run();
  EXPECT_THAT(found.wrong, IsEmpty());
  EXPECT_THAT(found.changed, IsEmpty());
}

TEST_P(Pools, tell_files_that_changed_meanwhile_from_wrong_results) {
  std::filesystem::remove(files[0].path);
  folder.write("two", "99");
  folder.write("three", "1234");
  const Differences found = differences_of_a_run();
  EXPECT_THAT(found.wrong, IsEmpty());
  EXPECT_THAT(found.changed, ElementsAre(0, 1, 2));
}

TEST_P(Pools, are_blamed_for_a_wrong_result) {
  Outcomes outcomes = run_on_pool(baseline.files, GetParam(), 2).outcomes;
  outcomes[0] = outcomes[1];
  outcomes[2] = run_on_pool({{"/missing", 1}}, GetParam(), 1).outcomes[0];
  const Differences found = differences(baseline, outcomes);
  EXPECT_THAT(found.wrong, ElementsAre(HasSubstr("one': the result is another than serially"),
                                       HasSubstr("three': cannot read file '/missing'")));
  EXPECT_THAT(found.changed, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, Pools, ::testing::Values(Kind::threads, Kind::processes),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST(plain_loop, leaves_out_a_file_that_vanished_and_names_it) {
  const ScratchFolder folder;
  const File kept = folder.write("kept", "1");
  const File gone{(folder.path() / "gone").string(), 1};
  const Baseline baseline = run_serially({gone, kept});
  EXPECT_EQ(baseline.files.size(), 1U);
  EXPECT_EQ(baseline.digests.size(), 1U);
  EXPECT_THAT(baseline.failures, ElementsAre(HasSubstr("gone': No such file or directory")));
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
