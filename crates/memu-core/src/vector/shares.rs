//! Numbers in a byte or two each, rather too great than too small.

use pulp::bytemuck::Pod;

use super::piece::Piece;

/// What a share is counted in.
pub(super) trait Step: Pod + Default + PartialEq + Into<f32> {
    const MOST: f32;

    /// The step, or the greatest that there is.
    fn of(step: f32) -> Self;
}

impl Step for u8 {
    const MOST: f32 = 255.0;

    fn of(step: f32) -> Self {
        step as Self
    }
}

impl Step for u16 {
    const MOST: f32 = 65_535.0;

    fn of(step: f32) -> Self {
        step as Self
    }
}

/// Positive numbers as shares of the greatest, in 255ths or in 65,535ths of it, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shares<S: Pod + PartialEq> {
    pub(super) greatest: f32,
    pub(super) steps: Piece<S>,
}

impl<S: Step> Shares<S> {
    pub(super) fn new(values: impl Iterator<Item = f32> + Clone) -> Self {
        let greatest = values.clone().fold(0.0, f32::max);
        let unit = unit::<S>(greatest);
        let steps = values.map(|value| {
            let step = (value / greatest.max(f32::MIN_POSITIVE) * S::MOST).ceil();
            // Division and multiplication round.
            S::of(if unit * step < value {
                step + 1.0
            } else {
                step
            })
        });
        Self {
            greatest,
            steps: steps.collect(),
        }
    }

    /// What one step is worth.
    pub(super) fn unit(&self) -> f32 {
        unit::<S>(self.greatest)
    }

    /// Not less than the number at this place, and at most a step more.
    pub(super) fn get(&self, place: usize) -> f32 {
        let step: f32 = self.steps.get(place).copied().unwrap_or_default().into();
        self.unit() * step
    }
}

/// What a step is worth where the greatest number has the most of them.
fn unit<S: Step>(greatest: f32) -> f32 {
    let unit = greatest / S::MOST;
    // Division rounds.
    if unit * S::MOST < greatest {
        unit.next_up()
    } else {
        unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come_back<S: Step>() {
        for factor in [1.0, 0.1, 3e-7] {
            let values: Vec<f32> = (0..1000_u16).map(|i| f32::from(i) * factor / 7.0).collect();
            let shares = Shares::<S>::new(values.iter().copied());
            for (place, value) in values.iter().enumerate() {
                let told = shares.get(place);
                let most = value + shares.greatest / (S::MOST - 1.0);
                assert!(
                    told >= *value && told <= most * (1.0 + 1e-6),
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
