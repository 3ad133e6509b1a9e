// SPDX-License-Identifier: MIT
#pragma once

namespace brood::storm {

// Makes pools while their nurseries and workers die at each kill point of a
// birth: a pool works, or says why it can't.
void storm_births();

}  // namespace brood::storm
