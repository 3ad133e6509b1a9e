// SPDX-License-Identifier: MIT
#include "how_many_snakes/sample.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/scratch_folder.hpp"

namespace {

using namespace snakes;
using snakes::testing::ScratchFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> paths_of(const std::vector<File>& files) {
  std::vector<std::string> paths;
  for (const File& file : files) paths.push_back(file.path);
  return paths;
}

// A hundred files below `folder`, of 100 to 199 bytes.
std::vector<File> hundred(const std::string& folder) {
  std::vector<File> files;
  for (std::uint64_t i = 0; i < 100; ++i) {
    files.push_back({folder + "/file" + std::to_string(i), 100 + i});
  }
  return files;
}

TEST(sample, of_what_fits_is_all_of_it_largest_first) {
  const std::vector<File> files = hundred("d");
  const std::vector<File> taken = take_sample(files, "d", {.bytes = bytes_of(files)});
  EXPECT_EQ(taken.size(), files.size());
  EXPECT_EQ(taken.front().size, 199U);
  EXPECT_EQ(taken.back().size, 100U);
}

TEST(sample, keeps_its_bounds) {
  const std::vector<File> few = take_sample(hundred("d"), "d", {.files = 7});
  EXPECT_EQ(few.size(), 7U);
  const std::vector<File> small = take_sample(hundred("d"), "d", {.bytes = 5000});
  EXPECT_LE(bytes_of(small), 5000U);
  EXPECT_GT(bytes_of(small), 4800U);
}

TEST(sample, depends_on_the_paths_below_the_folder_alone) {
  std::vector<File> shuffled = hundred("elsewhere/d/");
  std::reverse(shuffled.begin(), shuffled.end());
  std::vector<std::string> one = paths_of(take_sample(hundred("d"), "d", {.files = 9}));
  std::vector<std::string> other = paths_of(take_sample(shuffled, "elsewhere/d/", {.files = 9}));
  for (std::string& path : one) path.erase(0, path.rfind('/'));
  for (std::string& path : other) path.erase(0, path.rfind('/'));
  EXPECT_EQ(one, other);
}

TEST(sample, takes_large_files_only_where_room_is_left) {
  std::vector<File> files = hundred("d");
  files.push_back({"d/large", 4000});
  EXPECT_THAT(paths_of(take_sample(files, "d", {.bytes = 5000})),
              ::testing::Not(::testing::Contains("d/large")));
  EXPECT_THAT(paths_of(take_sample({{"d/large", 4000}, {"d/small", 10}}, "d", {.bytes = 5000})),
              ElementsAre("d/large", "d/small"));
}

TEST(sample, is_empty_where_no_file_fits) {
  EXPECT_THAT(paths_of(take_sample({{"d/a", 70}, {"d/b", 60}}, "d", {.bytes = 50})), IsEmpty());
  EXPECT_THAT(take_sample({}, "d", {.bytes = 50}), IsEmpty());
}

TEST(walk, finds_files_in_folders_in_folders_with_their_sizes) {
  const ScratchFolder folder;
  const File upper = folder.write("upper", "four");
  const File lower = folder.write("a/b/c/lower", "");
  const Found found = walk(folder.path());
  EXPECT_THAT(paths_of(found.files), UnorderedElementsAre(upper.path, lower.path));
  EXPECT_EQ(bytes_of(found.files), 4U);
  EXPECT_EQ(found.unreadable, 0U);
}

}  // namespace
