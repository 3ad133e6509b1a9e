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

  std::vector<std::string> differences_of_a_run() {
    return differences(baseline, run_on_pool(baseline.files, GetParam(), 2).outcomes);
  }
};

TEST_P(Pools, find_what_the_plain_loop_finds) {
  EXPECT_EQ(baseline.digests.size(), 3U);
  EXPECT_THAT(differences_of_a_run(), IsEmpty());
}

TEST_P(Pools, name_a_file_that_vanished_meanwhile) {
  std::filesystem::remove(files[1].path);
  EXPECT_THAT(differences_of_a_run(), ElementsAre(HasSubstr("two': No such file or directory")));
}

TEST_P(Pools, name_a_file_that_was_written_to_meanwhile) {
  folder.write("two", "99");
  folder.write("three", "1234");
  EXPECT_THAT(differences_of_a_run(), ElementsAre(HasSubstr("two': the result is another"),
                                                  HasSubstr("3 bytes and now has more")));
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
