//! What models returned is kept beside the records, and goes with them.

use jiff::{ToSpan as _, civil};

use super::fixtures::{Maker, World, user};
use super::verdict::{Failure, refused, same};
use super::{Harness, Verdict};
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::records::{Id, Modality, ModelReply, ModelUsage, ReplyState};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{LogPosition, Query, Select, Store, StoreExt, Write};

/// What the replies of a scope say, in stored order.
async fn said(store: &dyn Store, scope: &Scope, select: Select) -> Result<Vec<String>, Failure> {
    let query = Query::scope(scope).select(select);
    let replies = store.model_replies(&query).await?.records;
    Ok(replies.into_iter().map(|reply| reply.text).collect())
}

pub(super) async fn a_reply_leaves_the_log_as_it_is(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let writes = vec![Write::Category(make.category("first"))];
    store.commit(make.batch(writes)).await?;
    let before = store.log_position(make.scope()).await?;
    let writes = vec![Write::from(make.model_reply("a reply"))];
    let committed = store.commit(make.batch(writes)).await?;
    same("the commit", &committed.seq, &before.seq)?;
    let after = store.log_position(make.scope()).await?;
    same("the log", &after, &before)?;
    // A plan that was made before the reply came can still be carried out.
    let mut plan = make.batch(vec![Write::Category(make.category("second"))]);
    plan.expected_seq = Some(before.seq);
    plan.expected_life = Some(before.life);
    store.commit(plan).await?;
    Ok(())
}

pub(super) async fn a_plan_on_nothing_holds_when_a_reply_has_come(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 5);
    let before = store.log_position(make.scope()).await?;
    let reply = vec![Write::from(make.model_reply("a reply"))];
    store.commit(make.batch(reply)).await?;
    let plan = |name: &str| {
        let mut plan = make.batch(vec![Write::Category(make.category(name))]);
        plan.expected_seq = Some(before.seq);
        plan.expected_life = Some(before.life);
        plan
    };
    let planned = [plan("first"), plan("second")];
    let [first, second] = planned;
    store.commit(first).await?;
    let result = store.commit(second).await;
    refused(
        "what was planned on nothing again",
        result,
        &[ErrorKind::Conflict],
    )?;
    Ok(())
}

pub(super) async fn a_scope_with_nothing_but_a_reply_is_there(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let (alice, bob) = (Maker::new(user("alice")?, 2), Maker::new(user("bob")?, 2));
    let reply = alice.model_reply("all that came of it");
    let writes = vec![Write::from(reply.clone())];
    store.commit(alice.batch(writes.clone())).await?;
    let kept = async || store.log_position(alice.scope()).await;
    let life = kept().await?.life;
    store.commit(alice.batch(Vec::new())).await?;
    same("the life after an empty batch", &kept().await?.life, &life)?;
    let listed = async || -> Result<Vec<(Scope, u64)>, Failure> {
        let scopes = store.scopes(&Filter::default(), 9).await?;
        Ok(scopes.into_iter().map(|one| (one.scope, one.seq)).collect())
    };
    same("the scopes", &listed().await?, &vec![(user("alice")?, 0)])?;
    let of_bob = Write::Category(bob.category("his"));
    store.commit(bob.batch(vec![of_bob])).await?;
    let writes = vec![Write::DeleteModelReply(reply.meta.id)];
    store.commit(alice.batch(writes)).await?;
    same("the scopes", &listed().await?, &vec![(user("bob")?, 1)])?;
    let position = store.log_position(alice.scope()).await?;
    same("where nothing is", &position, &LogPosition::default())?;
    let again = alice.model_reply("again");
    store.commit(alice.batch(vec![Write::from(again)])).await?;
    let cleared = store.clear(&[alice.scope().clone()]).await?;
    same("the replies that went", &cleared.model_replies, &1)?;
    same("the scopes that went", &cleared.scopes, &1)?;
    same("the scopes", &listed().await?, &vec![(user("bob")?, 1)])?;
    let left = said(&*store, alice.scope(), Select::All).await?;
    same("what is left", &left, &Vec::new())
}

pub(super) async fn replies_are_found_by_state_request_and_resource(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let world = World::new(&make)?;
    let mut waiting = make.model_reply("not read yet");
    let mut writes = world.writes();
    writes.push(Write::from(waiting.clone()));
    store.commit(make.batch(writes)).await?;
    let [summary, babble] = [&world.summary, &world.babble].map(|one| one.text.clone());
    let chat = world.chat.meta.id.clone();
    for (select, expected) in [
        (
            Select::ReplyStates(vec![ReplyState::Failed, ReplyState::Parsed]),
            vec![summary.clone(), babble.clone()],
        ),
        (
            Select::ReplyStates(vec![ReplyState::Received]),
            vec![waiting.text.clone()],
        ),
        (Select::ReplyStates(Vec::new()), Vec::new()),
        (
            Select::Requests(vec![world.babble.request_hash, waiting.request_hash]),
            vec![babble.clone(), waiting.text.clone()],
        ),
        (Select::OfResources(vec![chat]), vec![summary.clone()]),
        (
            Select::IdPrefixes(vec![waiting.meta.id.short().to_owned()]),
            vec![waiting.text.clone()],
        ),
        (Select::Names(vec!["tastes".to_owned()]), Vec::new()),
    ] {
        let found = said(&*store, make.scope(), select.clone()).await?;
        same(&format!("what {select:?} finds"), &found, &expected)?;
    }
    // It is tried, and fails; a second attempt works.
    for (revision, state) in [(1, ReplyState::Failed), (2, ReplyState::Parsed)] {
        waiting.meta.revision = revision;
        waiting.state = state;
        let write = Write::from(waiting.clone());
        store.commit(make.batch(vec![write.clone()])).await?;
        let again = store.commit(make.batch(vec![write])).await;
        refused("the same revision again", again, &[ErrorKind::Conflict])?;
    }
    let stored = store.model_reply(make.scope(), &waiting.meta.id).await?;
    let stored = stored.map(|reply| (reply.meta.revision, reply.state));
    same("the reply", &stored, &Some((3, ReplyState::Parsed)))?;
    let gone = Write::DeleteModelReply(waiting.meta.id);
    store.commit(make.batch(vec![gone.clone()])).await?;
    let result = store.commit(make.batch(vec![gone])).await;
    refused("deleting it again", result, &[ErrorKind::NotFound])?;
    Ok(())
}

pub(super) async fn replies_go_with_what_they_are_about(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let chat = make.resource("file:///one");
    let mut film = make.resource("file:///one");
    film.modality = Modality::Video;
    let about = |resource: Option<&Id>, text: &str| ModelReply {
        resource_id: resource.cloned(),
        content_hash: Some(chat.content_hash),
        ..make.model_reply(text)
    };
    let writes = vec![
        Write::Resource(chat.clone()),
        Write::Resource(film.clone()),
        Write::from(about(Some(&chat.meta.id), "of the chat")),
        Write::from(about(None, "of the content")),
        Write::from(about(Some(&film.meta.id), "of the film")),
        Write::from(make.model_reply("of nothing")),
    ];
    store.commit(make.batch(writes)).await?;
    let delete = |id: &Id| make.batch(vec![Write::DeleteResource(id.clone())]);
    store.commit(delete(&chat.meta.id)).await?;
    let left = said(&*store, make.scope(), Select::All).await?;
    let expected = ["of the content", "of the film", ""];
    same(
        "after the chat",
        &left,
        &expected.map(str::to_owned).to_vec(),
    )?;
    store.commit(delete(&film.meta.id)).await?;
    let left = said(&*store, make.scope(), Select::All).await?;
    same("after both", &left, &vec![String::new()])
}

pub(super) async fn replies_about_nothing_lose_their_text_when_something_goes(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 6);
    let bob = Maker::new(user("bob")?, 6);
    let his = vec![Write::from(bob.model_reply("of bob"))];
    store.commit(bob.batch(his)).await?;
    let world = World::new(&make)?;
    let about = ModelReply {
        content_hash: Some(make.resource("file:///other").content_hash),
        ..make.model_reply("about content")
    };
    let quoting = make.model_reply("quotes anything");
    let mut writes = world.writes();
    writes.extend([about, quoting.clone()].map(Write::from));
    store.commit(make.batch(writes)).await?;
    let before = said(&*store, make.scope(), Select::All).await?;
    let emptied = before.iter().map(|text| match text.as_str() {
        "quotes anything" => String::new(),
        other => other.to_owned(),
    });
    let gone = vec![Write::DeleteItem(world.coffee.meta.id.clone())];
    store.commit(make.batch(gone)).await?;
    let after = said(&*store, make.scope(), Select::All).await?;
    same("after the item", &after, &emptied.collect())?;
    let stored = store.model_reply(make.scope(), &quoting.meta.id).await?;
    let stored = stored.map(|reply| (reply.meta.revision, reply.usage));
    same("what it cost", &stored, &Some((2, quoting.usage.clone())))?;
    let again = Write::from(make.model_reply("quotes it again"));
    store.commit(make.batch(vec![again])).await?;
    let gone = vec![Write::DeleteResource(world.chat.meta.id.clone())];
    store.commit(make.batch(gone)).await?;
    let left = said(&*store, make.scope(), Select::All).await?;
    let quotes = left.iter().any(|text| text.contains("again"));
    same("what quotes the resource", &quotes, &false)?;
    let of_bob = said(&*store, bob.scope(), Select::All).await?;
    same(
        "the replies of another",
        &of_bob,
        &vec!["of bob".to_owned()],
    )
}

pub(super) async fn replies_about_content_that_has_grown_go_with_its_resource(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 7);
    let mut chat = make.resource("file:///one");
    let grown = make.resource("file:///two").content_hash;
    let about = |hash, text: &str| {
        Write::from(ModelReply {
            content_hash: Some(hash),
            ..make.model_reply(text)
        })
    };
    let writes = vec![
        about(chat.content_hash, "of what it was"),
        Write::Resource(chat.clone()),
    ];
    store.commit(make.batch(writes)).await?;
    chat.meta.revision = 1;
    chat.content_hash = grown;
    let writes = vec![about(grown, "of what it is"), Write::Resource(chat.clone())];
    store.commit(make.batch(writes)).await?;
    let named = Select::OfResources(vec![chat.meta.id.clone()]);
    let found = said(&*store, make.scope(), named).await?;
    same("what names it", &found, &vec!["of what it was".to_owned()])?;
    let gone = vec![Write::DeleteResource(chat.meta.id)];
    store.commit(make.batch(gone)).await?;
    let left = said(&*store, make.scope(), Select::All).await?;
    same("what is left", &left, &Vec::new())
}

pub(super) async fn usage_adds_up_by_day_and_outlives_replies(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let (alice, bob) = (Maker::new(user("alice")?, 6), Maker::new(user("bob")?, 6));
    let chat = alice.resource("file:///one");
    let before = store.log_position(alice.scope()).await?;
    let reply = ModelReply {
        content_hash: Some(chat.content_hash),
        ..alice.model_reply("of the chat")
    };
    let of_others = ModelUsage {
        step: "categorize_items".to_owned(),
        unusable: 1,
        ..alice.model_usage(1)
    };
    for usage in [
        alice.model_usage(1),
        of_others.clone(),
        alice.model_usage(0),
    ] {
        let writes = vec![Write::ModelUsage(usage)];
        store.commit(alice.batch(writes)).await?;
    }
    let twice = vec![
        Write::from(reply),
        Write::ModelUsage(alice.model_usage(1)),
        Write::Resource(chat.clone()),
    ];
    let mut planned = alice.batch(twice);
    planned.expected_seq = Some(before.seq);
    planned.expected_life = Some(before.life);
    store.commit(planned).await?;
    let gone = Write::DeleteResource(chat.meta.id);
    store.commit(alice.batch(vec![gone])).await?;
    let mut sum = alice.model_usage(1);
    sum.add(&alice.model_usage(1));
    let day = sum.day;
    let taken = async |make: &Maker, since| store.model_usage(make.scope(), since).await;
    let expected = vec![alice.model_usage(0), of_others.clone(), sum.clone()];
    same("all", &taken(&alice, civil::Date::MIN).await?, &expected)?;
    same(
        "of a day",
        &taken(&alice, day).await?,
        &vec![of_others, sum],
    )?;
    let later = day.saturating_add(1.day());
    same("of none", &taken(&alice, later).await?, &Vec::new())?;
    same(
        "of another",
        &taken(&bob, civil::Date::MIN).await?,
        &Vec::new(),
    )?;
    // A batch that fails takes nothing.
    let fails = vec![
        Write::ModelUsage(bob.model_usage(0)),
        Write::DeleteItem(Id::from("unknown")),
    ];
    let result = store.commit(bob.batch(fails)).await;
    refused("deleting what is not there", result, &[ErrorKind::NotFound])?;
    same(
        "of another",
        &taken(&bob, civil::Date::MIN).await?,
        &Vec::new(),
    )?;
    let named = async || -> Result<Vec<Scope>, Failure> {
        let scopes = store.scopes(&Filter::default(), 9).await?;
        Ok(scopes.into_iter().map(|one| one.scope).collect())
    };
    same("the scopes", &named().await?, &vec![user("alice")?])?;
    store.clear(&[alice.scope().clone()]).await?;
    same(
        "after all",
        &taken(&alice, civil::Date::MIN).await?,
        &Vec::new(),
    )?;
    same("the scopes", &named().await?, &Vec::new())
}
