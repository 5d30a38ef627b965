//! Statistics: from counts and samples to numbers. Pure arithmetic; knows neither tables nor gates.

pub mod binary;
mod bootstrap;
mod delong;
mod drift;
mod interval;
mod multiple;
mod ranked;
pub mod special;

pub use bootstrap::{Draw, REPLICATES, Replicates};
pub use delong::Area;
pub use drift::{
    ChiSquare, Jump, chi_square, jensen_shannon, jensen_shannon_noise, kolmogorov_smirnov, psi, psi_noise, psi_p,
    shares, wasserstein,
};
pub use interval::{Spread, wilson};
pub use multiple::holm;
pub use ranked::Ranked;

#[cfg(test)]
mod tests;
