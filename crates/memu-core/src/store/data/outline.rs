//! The outline of a scope, from its records.

use std::sync::Arc;

use super::ScopeData;
use crate::ranking::outline::{
    Block, BlockBuilder, CategoryOutline, ItemOutline, Outline, ResourceOutline, SegmentOutline,
};

impl ScopeData {
    /// What ranking needs to know of these records, with passages of about
    /// `passage_words` words.
    pub fn outline(&self, passage_words: usize) -> Outline {
        Outline {
            resources: self
                .resources
                .from(0)
                .map(|(place, resource)| ResourceOutline {
                    place,
                    id: resource.meta.id.clone(),
                    content_hash: resource.content_hash,
                })
                .collect(),
            categories: self
                .categories
                .from(0)
                .map(|(place, category)| CategoryOutline {
                    place,
                    id: category.meta.id.clone(),
                })
                .collect(),
            segments: shared(self.outlined_segments(passage_words)),
            items: shared(self.outlined_items()),
        }
    }

    /// Adds the outline of the segment at `place` to a block; says whether there is one.
    pub fn outline_segment(
        &self,
        place: u64,
        passage_words: usize,
        builder: &mut BlockBuilder<SegmentOutline>,
    ) -> bool {
        let Some(segment) = self.segments.at(place) else {
            return false;
        };
        let resource = self.resources.position(&segment.resource_id);
        let resource = resource.unwrap_or(u64::MAX);
        builder.push(|texts| SegmentOutline::new(segment, place, resource, passage_words, texts));
        true
    }

    /// Adds the outline of the item at `place` to a block; says whether there is one.
    pub fn outline_item(&self, place: u64, builder: &mut BlockBuilder<ItemOutline>) -> bool {
        let Some(item) = self.items.at(place) else {
            return false;
        };
        let resource = item.resource_id.as_ref();
        let resource = resource.and_then(|id| self.resources.position(id));
        let segments = item.segment_ids.iter();
        let segments = segments.filter_map(|id| self.segments.position(id));
        let categories = self
            .relations_of_item(&item.meta.id)
            .filter_map(|relation| self.categories.position(&relation.category_id));
        let (segments, categories) = (segments.collect(), categories.collect());
        builder.push(|texts| ItemOutline::new(item, place, resource, segments, categories, texts));
        true
    }

    fn outlined_segments(&self, passage_words: usize) -> Vec<Block<SegmentOutline>> {
        let mut builder = BlockBuilder::default();
        for (place, _) in self.segments.from(0) {
            self.outline_segment(place, passage_words, &mut builder);
        }
        builder.finish()
    }

    fn outlined_items(&self) -> Vec<Block<ItemOutline>> {
        let mut builder = BlockBuilder::default();
        for (place, _) in self.items.from(0) {
            self.outline_item(place, &mut builder);
        }
        builder.finish()
    }
}

fn shared<T>(blocks: Vec<Block<T>>) -> Vec<Arc<Block<T>>> {
    blocks.into_iter().map(Arc::new).collect()
}
