//! Service level objectives: every worked number of the requirements, and every boundary.

mod evaluation;
