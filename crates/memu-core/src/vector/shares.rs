//! Numbers in a byte or two each, rather too great than too small.

use pulp::bytemuck::Pod;

use super::piece::Piece;

/// What a share is counted in.
pub(super) trait Step: Pod + Default {
    const MOST: Self;

    fn number(self) -> f32;
    /// The least step that is not less, as far as there is one.
    fn not_less(number: f32) -> Self;
    fn next(self) -> Self;
}

impl Step for u8 {
    const MOST: Self = Self::MAX;

    fn number(self) -> f32 {
        f32::from(self)
    }

    fn not_less(number: f32) -> Self {
        number.ceil() as Self
    }

    fn next(self) -> Self {
        self.saturating_add(1)
    }
}

impl Step for u16 {
    const MOST: Self = Self::MAX;

    fn number(self) -> f32 {
        f32::from(self)
    }

    fn not_less(number: f32) -> Self {
        number.ceil() as Self
    }

    fn next(self) -> Self {
        self.saturating_add(1)
    }
}

/// Positive numbers as shares of the greatest, in 255ths or in 65,535ths of it, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shares<S: Pod + PartialEq> {
    pub(super) greatest: f32,
    pub(super) steps: Piece<S>,
}

impl<S: Step + PartialEq> Shares<S> {
    pub(super) fn new(values: impl Iterator<Item = f32> + Clone) -> Self {
        let greatest = values.clone().fold(0.0, f32::max);
        let unit = greatest / S::MOST.number();
        let steps = values.map(|value| {
            let step = S::not_less(value / greatest.max(f32::MIN_POSITIVE) * S::MOST.number());
            // Division and multiplication round.
            if unit * step.number() < value {
                step.next()
            } else {
                step
            }
        });
        Self {
            greatest,
            steps: steps.collect(),
        }
    }

    /// What one step is worth.
    pub(super) fn unit(&self) -> f32 {
        self.greatest / S::MOST.number()
    }

    /// Not less than the number at this place, and at most a step more.
    pub(super) fn get(&self, place: usize) -> f32 {
        let step = self.steps.get(place).copied().unwrap_or_default();
        self.unit() * step.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come_back<S: Step + PartialEq>() {
        for factor in [1.0, 0.1, 3e-7] {
            let values: Vec<f32> = (0..1000_u16).map(|i| f32::from(i) * factor / 7.0).collect();
            let shares = Shares::<S>::new(values.iter().copied());
            for (place, value) in values.iter().enumerate() {
                let told = shares.get(place);
                let most = value + shares.greatest / (S::MOST.number() - 1.0);
                assert!(
                    told >= *value * (1.0 - 1e-6) && told <= most * (1.0 + 1e-6),
                    "{value}: {told}"
                );
            }
        }
        assert_eq!(Shares::<S>::new([0.0, 0.0].into_iter()).get(1), 0.0);
    }

    #[test]
    fn numbers_come_back_as_they_were_or_a_little_greater() {
        come_back::<u8>();
        come_back::<u16>();
    }
}
