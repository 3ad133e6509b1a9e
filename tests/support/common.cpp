// SPDX-License-Identifier: MIT
// A program for the sake of its precompiled headers: all tests use them.
int main() {}
