// SPDX-License-Identifier: MIT
#include "how_many_snakes/digest.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "how_many_snakes/checksums.hpp"
#include "how_many_snakes/in_quotes.hpp"
#include "programs/scratch_folder.hpp"

namespace {

using namespace snakes;
using snakes::testing::ScratchFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string noise(std::size_t size) {
  std::mt19937 dice(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(dice() & 0x3f);
  return text;
}

std::string failure_of(const File& file) {
  try {
    digest_of(file);
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
  return "";
}

TEST(digest, is_sha256) {
  const ScratchFolder folder;
  // The examples of FIPS 180-2, appendix B.1, and of the empty message.
  EXPECT_EQ(hexadecimal(digest_of(folder.write("abc", "abc")).sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hexadecimal(digest_of(folder.write("empty", "")).sha256),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(digest, has_the_size_that_zlib_makes_of_the_whole_at_once) {
  const ScratchFolder folder;
  for (const std::size_t size : {0U, 1U, 262'144U, 262'145U, 3'000'000U}) {
    const std::string content = noise(size);
    uLongf packed_size = compressBound(size);
    std::vector<Bytef> packed(packed_size);
    ASSERT_EQ(
        compress(packed.data(), &packed_size, reinterpret_cast<const Bytef*>(content.data()), size),
        Z_OK);
    EXPECT_EQ(digest_of(folder.write("noise", content)).compressed_size, packed_size) << size;
  }
}

TEST(digest, of_a_file_that_vanished_names_it) {
  const ScratchFolder folder;
  const File file = folder.write("fleeting", "x");
  std::filesystem::remove(file.path);
  EXPECT_EQ(failure_of(file), "cannot read file '" + file.path + "': No such file or directory");
}

TEST(digest, of_a_file_that_grew_or_shrank_names_it_and_its_sizes) {
  const ScratchFolder folder;
  File file = folder.write("restless", "four");
  file.size = 3;
  EXPECT_THAT(failure_of(file),
              AllOf(HasSubstr("restless'"), HasSubstr("had 3 bytes and now has more")));
  file.size = 5;
  EXPECT_THAT(failure_of(file), HasSubstr("had 5 bytes and now has 4"));
}

TEST(digest, of_a_file_that_became_a_folder_names_it) {
  const ScratchFolder folder;
  EXPECT_THAT(failure_of({folder.path().string(), 4096}), HasSubstr("Is a directory"));
}

TEST(checksums, that_cannot_be_written_say_so) {
  EXPECT_THROW(write_checksums("/dev/full", {File{"a", 1}}, {Digest{}}), std::runtime_error);
}

TEST(quotes, show_control_characters_as_escapes) {
  EXPECT_EQ(in_quotes("a b"), "'a b'");
  EXPECT_EQ(in_quotes("a\nb'\\\x1b"), "'a\\nb\\'\\\\\\x1b'");
}

}  // namespace
