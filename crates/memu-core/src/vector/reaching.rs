/// The numbers of the values that are at least `bound`, in order.
pub(super) fn reaching(values: &[f32], bound: f32, numbers: &mut Vec<usize>) {
    const AT_A_TIME: usize = 32;
    numbers.clear();
    // Most values are far below: whole groups are passed over by the widest instructions
    // that this processor has.
    pulp::Arch::new().dispatch(|| {
        for (group, values) in values.chunks(AT_A_TIME).enumerate() {
            if values.iter().filter(|value| **value >= bound).count() > 0 {
                let found = (group * AT_A_TIME..).zip(values);
                let found = found.filter(|(_, value)| **value >= bound);
                numbers.extend(found.map(|(number, _)| number));
            }
        }
    });
}
