// SPDX-License-Identifier: MIT
#pragma once

namespace brood::storm {

// Gives the pool tasks of all kinds and checks how each ends, until there were
// enough and the killer is calm. Several threads may do so at once.
void be_client();

}  // namespace brood::storm
