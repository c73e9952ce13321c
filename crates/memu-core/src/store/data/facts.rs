//! What a filter sees on each kind of record; the table is in the documentation of
//! [`Query`](crate::store::Query).

use super::ScopeData;
use crate::filter::{Facts, Field, Value};
use crate::records::{
    CategoryItem, Id, MemoryCategory, MemoryItem, Meta, ModelReply, Resource, Segment,
};
use crate::time::civil_micros;

macro_rules! adapters {
    ($($(#[$doc:meta])* $name:ident of $record:ident by $method:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name<'d> {
                data: &'d ScopeData,
                record: &'d $record,
            }
        )*
        impl ScopeData {
            $(
                $(#[$doc])*
                pub fn $method<'d>(&'d self, record: &'d $record) -> $name<'d> {
                    $name { data: self, record }
                }
            )*
        }
    };
}

adapters! {
    /// What a filter sees on a resource.
    ResourceFacts of Resource by resource_facts;
    /// What a filter sees on a segment.
    SegmentFacts of Segment by segment_facts;
    /// What a filter sees on an item.
    ItemFacts of MemoryItem by item_facts;
    /// What a filter sees on a category.
    CategoryFacts of MemoryCategory by category_facts;
    /// What a filter sees on a relation.
    RelationFacts of CategoryItem by relation_facts;
    /// What a filter sees on the reply of a model.
    ModelReplyFacts of ModelReply by model_reply_facts;
}

impl Facts for ResourceFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        let own = self.record;
        match field {
            Field::ResourceId => values.push(Value::Text(own.meta.id.as_str())),
            Field::Modality => values.push(Value::Text(own.modality.as_str())),
            Field::MemoryType | Field::Category => {
                for item in self.data.items_of_resource(&own.meta.id) {
                    of_item(self.data, item, field, values);
                }
            }
            Field::HappenedAt => {}
            _ => of_meta(&own.meta, field, values),
        }
    }
}

impl Facts for SegmentFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        let own = self.record;
        match field {
            Field::ResourceId => values.push(Value::Text(own.resource_id.as_str())),
            Field::Modality => values.extend(
                self.data
                    .resource(&own.resource_id)
                    .map(|resource| Value::Text(resource.modality.as_str())),
            ),
            Field::MemoryType | Field::Category => {
                for item in self.data.items_citing(&own.meta.id) {
                    of_item(self.data, item, field, values);
                }
            }
            Field::HappenedAt => {
                values.extend(own.happened_at.map(|at| Value::Micros(civil_micros(at))));
            }
            _ => of_meta(&own.meta, field, values),
        }
    }
}

impl Facts for ItemFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        of_item(self.data, self.record, field, values);
    }
}

impl Facts for CategoryFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        let own = self.record;
        match field {
            Field::Category => of_category(own, values),
            Field::ResourceId | Field::Modality | Field::MemoryType => {
                for item in self.data.items_of_category(&own.meta.id) {
                    of_item(self.data, item, field, values);
                }
            }
            Field::HappenedAt => {}
            _ => of_meta(&own.meta, field, values),
        }
    }
}

impl Facts for RelationFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        let own = self.record;
        match field {
            Field::Category => {
                if let Some(category) = self.data.category(&own.category_id) {
                    of_category(category, values);
                }
            }
            Field::CreatedAt | Field::UpdatedAt | Field::Scope(_) => {
                of_meta(&own.meta, field, values);
            }
            _ => {
                if let Some(item) = self.data.item(&own.item_id) {
                    of_item(self.data, item, field, values);
                }
            }
        }
    }
}

impl Facts for ModelReplyFacts<'_> {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        let own = self.record;
        match field {
            Field::ResourceId | Field::Modality => {
                of_source(self.data, own.resource_id.as_ref(), field, values);
            }
            Field::MemoryType | Field::Category | Field::HappenedAt => {}
            _ => of_meta(&own.meta, field, values),
        }
    }
}

fn of_item<'a>(
    data: &'a ScopeData,
    item: &'a MemoryItem,
    field: &Field,
    values: &mut Vec<Value<'a>>,
) {
    match field {
        Field::MemoryType => values.push(Value::Text(&item.memory_type)),
        Field::Category => {
            for category in data.categories_of_item(&item.meta.id) {
                of_category(category, values);
            }
        }
        Field::ResourceId | Field::Modality => {
            of_source(data, item.resource_id.as_ref(), field, values);
        }
        Field::HappenedAt => values.extend(
            item.happened
                .map(|when| Value::Micros(civil_micros(when.start))),
        ),
        _ => of_meta(&item.meta, field, values),
    }
}

/// The resource from which a record was made: its id or its modality.
fn of_source<'a>(
    data: &'a ScopeData,
    resource: Option<&'a Id>,
    field: &Field,
    values: &mut Vec<Value<'a>>,
) {
    let Some(id) = resource else { return };
    match field {
        Field::ResourceId => values.push(Value::Text(id.as_str())),
        _ => values.extend(
            data.resource(id)
                .map(|resource| Value::Text(resource.modality.as_str())),
        ),
    }
}

fn of_category<'a>(category: &'a MemoryCategory, values: &mut Vec<Value<'a>>) {
    values.push(Value::Text(&category.name));
    values.push(Value::Text(category.meta.id.as_str()));
}

fn of_meta<'a>(meta: &'a Meta, field: &Field, values: &mut Vec<Value<'a>>) {
    match field {
        Field::CreatedAt => values.push(Value::Micros(meta.created_at.as_micros())),
        Field::UpdatedAt => values.push(Value::Micros(meta.updated_at.as_micros())),
        Field::Scope(_) => meta.scope.values(field, values),
        _ => {}
    }
}
