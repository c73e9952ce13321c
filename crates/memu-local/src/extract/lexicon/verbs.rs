use crate::temporal::words::{Words, words};

/// Forms of verbs that do not change between "I" and "she", and the ones that do
/// but carry no meaning of their own.
pub(in crate::extract) static AUXILIARIES: Words = words!(
    "
    am are aren't can can't cannot could couldn't did didn't do does doesn't don't had hadn't has
    hasn't have haven't is isn't may might must mustn't ought shall should shouldn't was wasn't
    were weren't will won't would wouldn't that's it's he's she's there's here's what's who's
    they're we're you're they've we've you've i've i'm i'll i'd it'll that'll they'll we'll
    you'll he'll she'll it'd ain't
    "
);

/// Verbs whose past tense looks like their present.
pub(in crate::extract) static UNCHANGED_PAST: Words = words!(
    "
    bet bid burst cast cost cut hit hurt let beat put quit read rid set
    shut split spread thrust upset wed
    "
);

/// Verbs that a sentence may begin with when it leaves out its "I": how people
/// stand to things. As imperatives they are rare.
pub(in crate::extract) static STATIVE: Words = words!(
    "
    adore can't cannot couldn't didn't don't feel hadn't hate have haven't hope know love
    might miss need prefer usually want wanna wasn't wish won't wouldn't wonder guess think
    gotta gonna barely rarely never mostly mainly currently recently always often sometimes
    still really totally finally actually
    "
);

/// Words after which a verb stands in its base form.
pub(in crate::extract) static INFINITIVE_BEFORE: Words = words!(
    "
    to can can't cannot could couldn't did didn't do does doesn't don't gonna i'd i'll let
    lets let's make makes made help helps may might must shall should shouldn't they'll wanna
    we'll will won't would wouldn't he'll she'll it'll you'll
    "
);

/// Common verbs in their base form.
pub(in crate::extract) static COMMON: Words = words!(
    "
    accept achieve act add adjust admire admit adopt adore advise afford agree aim allow answer
    apologize appear apply appreciate approach argue arrange arrive ask assume attend avoid bake
    balance be believe belong bike blog book borrow break breathe bring brush build buy call camp
    care carry catch celebrate change charge chat check cherish chill choose clean climb collect
    combine come commute compare compete complete connect consider contact continue contribute
    cook cope count crave create cry cycle dance deal decide dedicate deliver depend describe
    design develop discover discuss do donate doubt draw dream drink drive earn eat edit embrace
    encourage end enjoy ensure enter escape exercise exhibit expect experience experiment explain
    explore express face fall feed feel fight figure find finish fish fit fix fly focus follow
    forget foster gain garden gather get give go grab grow guess handle hang happen hate have
    head hear help hike hit hold hope host hug identify imagine improve include increase inspire
    intend invest invite involve jog join journal keep know laugh launch lead lean learn leave
    lift like listen live look lose love maintain make manage mean measure meditate meet mentor
    miss mix move need notice observe offer open order organize own pack paint participate pass
    pay perform pick plan play point post practice prefer prepare present prioritize produce
    program promote protect prove provide publish pull push put read realize receive recharge
    recommend record recycle reduce reflect refuse relax release rely remember remind remove rent
    repair repeat reply report rescue research respect rest return review ride run save say
    schedule search see seem sell send serve set sew share shop shoot show sing sit sketch skip
    sleep smile snowboard solve sound speak spend stand start stay stick stop stream stretch struggle
    study stuff suffer suggest support surf survive swim take talk taste teach tell tend test
    thank think throw track train travel treasure treat trust try turn understand unwind update
    use value visit volunteer wait wake walk want watch wear win wish wonder work worry write
    "
);
