use crate::catalog::Catalog;

/// The template that people copy loads.
#[test]
fn the_template_loads() {
    let text = include_str!("../../../config/apis/generic-rest.yaml");
    let catalog = Catalog::parse("config/apis/generic-rest.yaml", text).unwrap_or_else(|e| panic!("{e:#?}"));
    let served = catalog.operations().iter().filter(|operation| operation.refused.is_none());
    assert_eq!((served.count(), catalog.operations().len()), (11, 15));
}
