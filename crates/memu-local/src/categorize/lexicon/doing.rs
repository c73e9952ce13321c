//! What somebody does: for pleasure, again and again, and for a living.

use super::Worth;

/// Hobbies, pastimes and interests.
pub(super) const ACTIVITIES: &[Worth] = &[
    (
        6,
        "hobby, pastime, free time, spare time, leisure, took up, is into, plays the",
    ),
    (
        4,
        "=rows, =collected, =drawings, hike, hiking, camping, =fishing, sailing, =rowing, \
         kayaking, canoeing, surfing, skiing, snowboarding, skating, skateboarding, climbing, \
         bouldering, cycling, biking, jogging, swimming, =diving, yoga, pilates, gym, \
         workout, works out, work out, marathon, triathlon, soccer, football, basketball, \
         baseball, tennis, badminton, volleyball, golf, hockey, rugby, cricket, =boxing, \
         karate, judo, martial arts, dancing, ballet, salsa, singing, choir, guitar, piano, \
         violin, cello, drums, ukulele, flute, saxophone, painting, =drawing, sketching, \
         pottery, ceramics, sculpting, knitting, crochet, sewing, quilting, embroidery, \
         woodworking, gardening, birdwatching, stargazing, photography, baking, cooking, \
         brewing, chess, board game, board games, video game, video games, gaming, gamer, \
         puzzle, crossword, book club, origami, calligraphy, scrapbooking, astronomy, \
         geocaching, foraging, meditation, volunteer, volunteering, horse riding, horseback, \
         archery, =fencing, =bowling, karaoke, =improv, theater group, theatre group, \
         =collects, =collecting, plays in a band, takes classes, is learning to, learns to \
         play, learning to play",
    ),
    (
        3,
        "plays, paints, =draws, sketches, sings, dances, dance, swims, knits, sews, bakes, \
         cooks, gardens, climbs, surfs, skis, jogs, runs a half, cycles, fishes, camps, \
         camped, swam, painted, baked, cooked, hiked, sculpts, brews, tournament, concert, \
         =festival, museum, gallery, exhibition, theater, theatre, band, club, class on, \
         workshop, novel, reads, reading, poetry, bike, bicycle, went for a run, goes \
         running, runs every, photographer, choreography, movie night, game night, watches, \
         podcast, interested in, interests, interest, road trip, beach, picnic, campfire, \
         charity run, bike ride, joined a",
    ),
    (
        2,
        "game, sport, music, art, book, movie, film, series, =anime, comic, manga, paint, \
         cook, bake, recipe, travel, trip, garden, craft, exercise, training for, trains, \
         lessons, class, song, album, =draw, read, photo, camera, kite, park, walks, walking, \
         play, match, playing",
    ),
    (
        1,
        "weekend, team, outdoors, nature, fun, creative, walk, party, cook",
    ),
    (
        0,
        "shared a picture, shared a picture a photo of, read only, read the error, class \
         name, css class, base class, the class, class method, draws a card, draw a card, \
         drawing a card, series of, time series, matches the, match the, plays a role, play a \
         role, role to play, game changer, worker class, photo of, reading the documentation, \
         drawing cards, art of, read a file, state of the art, interest rate, draw a \
         conclusion",
    ),
];

/// What happens again and again.
pub(super) const HABITS: &[Worth] = &[
    (
        6,
        "every morning, every evening, every night, every day, every week, every weekend, \
         every month, every year, every monday, every tuesday, every wednesday, every \
         thursday, every friday, every saturday, every sunday, each morning, each day, each \
         night, each evening, each week, habit, routine, ritual, =usually, =daily, =nightly, \
         =weekly, once a week, twice a week, times a week, once a day, twice a day, times a \
         day, once a month, twice a month, times a month, on weekdays, tends to, tend to, \
         =regularly, out of habit, on a regular basis, makes a point of, before bed, on \
         mondays, on weekends, on saturdays, =mondays, =tuesdays, =wednesdays, =thursdays, \
         =fridays, =saturdays, =sundays, =mornings, =weekends, =evenings, bedtime, wakes up \
         at, gets up at, goes to bed, day after day, all the time, year after year, every \
         other",
    ),
    (
        4,
        "always, often, =frequently, =typically, =normally, =generally, whenever, =rarely, \
         seldom, hardly ever, from time to time, now and then, sometimes, =occasionally, \
         never eats, never drinks, never skips, is used to, used to doing, wakes up, gets up \
         early, stays up late, stay up late, procrastinates, smokes, journaling, journals, \
         keeps a diary, keeps a journal, starts the day, starts each, starts every, ends the \
         day, morning person, night owl, early riser, =consistently, tradition",
    ),
    (
        2,
        "every time, every, =mostly, pattern, schedule, sleep, each time, quit smoking, keeps \
         doing, whenever possible, =yearly, =monthly, annual, =lately, keeps track, in the \
         mornings, meditates, until late",
    ),
    (1, "morning, evening, breakfast, bed, commute, keeps"),
    (
        0,
        "always wanted, always wanted to, has always wanted, sleep function, design pattern, \
         has always been, always been, every single one, regular expression, monthly payment, \
         monthly payments, every element, in every, weekly pattern matching, database \
         schedule, usually returns, every step of the way, daily limit, pattern matching",
    ),
];

/// Jobs, workplaces, careers and professional study.
pub(super) const WORK_LIFE: &[Worth] = &[
    (
        6,
        "=interns, =promoted, works as, works at, works for, worked as, worked at, worked \
         for, working as, working at, works in, working in, works from home, work from home, \
         job, coworker, co worker, colleague, career, =employer, employee, workplace, \
         internship, =intern, =profession, occupation, salary, paycheck, got promoted, was \
         promoted, promoted to, =promotion, got hired, was hired, hired, laid off, got fired, \
         was fired, layoff, resigned, =unemployed, freelance, freelancer, self employed, job \
         interview, performance review, work life balance, day off, business trip, runs a \
         company, runs a business, own business, started a business, startup, ceo, cto, is \
         employed, night shift, job offer, maternity leave, paternity leave, retired from, at \
         work, goes to work, to work by, remote work, works remotely",
    ),
    (
        4,
        "=engineers, =mechanics, =businesses, =researchers, =managers, =developers, boss, \
         =manager, supervisor, office, resume, recruiter, promotion at, company, =business, \
         client, =professional, conference, workload, overtime, burnout, entrepreneur, \
         =corporate, =department, =quarterly, sprint planning, is a nurse, is a teacher, is \
         an engineer, is a doctor, is a lawyer, is an accountant, is a designer, is a \
         developer, is a programmer, =accountant, =engineer, lawyer, nurse, teacher, surgeon, \
         architect, =developer, programmer, electrician, plumber, carpenter, journalist, \
         librarian, pharmacist, dentist, chef, barista, bartender, cashier, pilot, banker, \
         bank teller, =consultant, analyst, firefighter, =mechanic, farmer, scientist, \
         =researcher, professor, =translator, counselor, counsellor, therapist, veterinarian, \
         realtor, contractor, on call, work life, work trip, her work, his work, their work, \
         work on time",
    ),
    (
        3,
        "=customers, =meetings, =work, deadline, =meeting, investor, shift, =presentation, \
         workshop for, coding for, portfolio, =networking, sponsorship, endorsement, \
         =customer, =sales, =marketing, leadership, certification, degree, stakeholder, \
         product launch, team lead, screenplay, =publisher, store opening",
    ),
    (
        2,
        "works on, working on, worked on, project, =store, shop, industry, hire, earn, \
         income, =training, skills, mentor, tasks, =report, launch, =brand, website, retire, \
         teaches, =staff, pitch",
    ),
    (
        1,
        "team, busy, schedule, plan, software, app, study, exam, stress",
    ),
    (
        0,
        "works out, work out, worked out, working out, doesnt work, does not work, how it \
         works, works well, works fine, works best, work of art, works of art, isnt working, \
         not working, work correctly, works correctly, working correctly, expected to work, \
         background job, cron job, good job, great job, hard work, batch job, work properly, \
         make it work, company of, in store, night of work, vector store, data store, object \
         store, gevent worker, job queue, enjoys company, how they work",
    ),
];
