-- A synthetic practice of %(visits)s visits over two years, in sets. What kind of visit number i is follows from i alone.
-- Every table is filled in the order of its keys, as a backfill by day would.
create unlogged table plan as
select i, kind, day, (i %% 40 + 1)::text as department, (i %% 97 + 1)::text as provider,
    (i::bigint * 7919 %% greatest(%(visits)s / 4, 1))::text as patient, day::timestamptz + interval '15 hours' as starts,
    (array['99213', '99214', '99212', '99395'])[1 + i %% 4] as code,
    (80 + i %% 4 * 40)::numeric as price,
    (array['Office visit', 'Follow-up', 'Physical'])[1 + i %% 3] as visit_type
from (
    select i, case when kind = 'booked' then current_date + (i %% 30)
        when kind in ('billed', 'hold', 'drop') then current_date - (i %% 60) - 3
        else current_date - 3 - (720 * (%(visits)s - i) / %(visits)s)::int end as day, kind
    from (
        select i, case
            when dice < 850 then 'paid'
            when dice < 870 then 'booked'
            when dice < 895 then 'cancelled'
            when dice < 925 then 'billed'
            when dice < 940 then 'no slip'
            when dice < 950 then 'unsigned'
            when dice < 955 then 'never came'
            when dice < 958 then 'stuck'
            when dice < 962 then 'not checked out'
            when dice < 965 then 'no claim'
            when dice < 975 then 'left off'
            when dice < 990 then 'hold'
            when dice < 992 then 'drop'
            when dice < 996 then 'credit'
            when dice < 998 then 'void'
            else 'orders' end as kind
        from (select i, (i * 2654435761 %% 4294967296 %% 1000) as dice from generate_series(1, %(visits)s) i) as thrown
    ) as kinds
) as dated;
create unique index on plan (i);
analyze plan;

insert into records_department (practice_id, external_id, fetched_at, name, timezone, place_of_service, clinicals)
select %(practice)s, n::text, now(), 'Department ' || n, 'America/New_York', '11', true from generate_series(1, 40) n;

insert into records_provider (practice_id, external_id, fetched_at, first_name, last_name, display_name, npi, specialty,
    billable, creates_encounter)
select %(practice)s, n::text, now(), '', '', 'Provider ' || n, '', '', true, true from generate_series(1, 97) n;

insert into records_insurance (practice_id, external_id, fetched_at, patient_id, package_id, plan_name, payer_name,
    insurance_type, sequence, eligibility_status)
select %(practice)s, 'i' || n, now(), n::text, '', '', (array['Meadow Health Plan', 'Medicare', 'Lake Medicaid'])[1 + n %% 3],
    (array['Commercial', 'Medicare Part B', 'Medicaid'])[1 + n %% 3], 1, 'Eligible'
from generate_series(0, greatest(%(visits)s / 4, 1) - 1) n;

insert into records_appointment (practice_id, external_id, fetched_at, patient_id, department_id, provider_id,
    rendering_provider_id, supervising_provider_id, date, starts_at, minutes, type_name, status, checked_in_at,
    checked_out_at, cancelled_at, cancel_reason, no_show, rescheduled_to, charge_entry_not_required,
    charge_entry_not_required_reason, encounter_id, encounter_state, encounter_status)
select %(practice)s, 'a' || i, now(), patient, department, provider, '', '', day, starts, 20, visit_type,
    case kind when 'booked' then 'f' when 'never came' then 'f' when 'cancelled' then 'x' when 'stuck' then '2'
        when 'not checked out' then '2' when 'no slip' then '3' when 'unsigned' then '3' else '4' end,
    case when kind not in ('booked', 'never came', 'cancelled') then starts end,
    case when kind not in ('booked', 'never came', 'cancelled', 'stuck', 'not checked out')
        then starts + interval '40 minutes' end,
    case when kind = 'cancelled' then starts - interval '1 day' end, '', false, '', false, '',
    case when kind not in ('booked', 'never came', 'cancelled') then 'e' || i else '' end, '', ''
from plan where kind <> 'orders';

insert into records_encounter (practice_id, external_id, fetched_at, appointment_id, patient_id, department_id, provider_id,
    date, kind, status, stage, visit_name, closed_on, diagnosis_codes, fhir_id, fhir_status, fhir_class)
select %(practice)s, 'e' || i, now(), case when kind = 'orders' then '' else 'a' || i end, patient, department, provider, day,
    case when kind = 'orders' then 'ORDERSONLY' else 'VISIT' end,
    case when kind in ('unsigned', 'stuck') then 'OPEN' else 'CLOSED' end, '', '',
    case when kind not in ('unsigned', 'stuck') then day end, array[]::text[], '', '', ''
from plan where kind not in ('booked', 'never came', 'cancelled');

insert into records_serviceline (practice_id, external_id, fetched_at, encounter_id, procedure_code, description, modifiers,
    bill_for_service)
select %(practice)s, 's' || i || '-' || n, now(), 'e' || i, case n when 1 then code else '90471' end, '', array[]::text[], true
from plan, generate_series(1, 1 + (i %% 3 = 0)::int) n
where kind not in ('booked', 'never came', 'cancelled', 'stuck', 'unsigned');

insert into records_claim (practice_id, external_id, fetched_at, appointment_id, patient_id, department_id,
    billed_provider_id, supervising_provider_id, service_date, created_date, primary_status, primary_insurance_id,
    secondary_status, secondary_insurance_id, patient_status, diagnosis_codes, procedure_codes, first_seen,
    primary_since, secondary_since, patient_since)
select %(practice)s, 'c' || i, now(), 'a' || i, patient, department, provider, '', day, day + 1,
    case kind when 'billed' then 'BILLED' when 'hold' then 'HOLD' when 'drop' then 'DROP' else 'CLOSED' end, 'i' || patient,
    'CLOSED', '0', 'CLOSED', array[]::text[], array[code], seen, witnessed, witnessed, witnessed
from plan, lateral (select day::timestamptz + interval '30 hours' as seen) first,
    lateral (select case when i %% 2 = 1 then seen end as witnessed) watched
where kind in ('paid', 'billed', 'left off', 'hold', 'drop', 'credit', 'void');

insert into records_chargeline (practice_id, external_id, fetched_at, claim_id, procedure_code, description, amount,
    posted_on, payments, adjustments, outstanding, payer)
select %(practice)s, 't' || i || '-' || n, now(), 'c' || i, case n when 1 then code else '90471' end, '', amount, day + 1,
    case kind when 'paid' then amount * 0.6 when 'credit' then amount else 0 end,  -- each code has its one usual payment
    case kind when 'paid' then amount * 0.4 else 0 end,
    case kind when 'paid' then 0 when 'credit' then -20 else amount end, ''
from plan, generate_series(1, case when kind = 'left off' then 1 when kind = 'void' then 2
    else 1 + (i %% 3 = 0)::int end) n, lateral (
    select case when kind = 'void' and n = 2 then -price when n = 1 then price else 30 end as amount) line
where kind in ('paid', 'billed', 'left off', 'hold', 'drop', 'credit', 'void');

insert into correlation_visit (practice_id, anchor, anchor_id, patient_id, service_date, department_id, provider_id,
    visit_type, payer_name, track, charges, paid, outstanding, suppressor)
select %(practice)s, case when kind = 'orders' then 'encounter' else 'appointment' end,
    case when kind = 'orders' then 'e' || i else 'a' || i end, patient, day, department, provider, visit_type,
    (array['Meadow Health Plan', 'Medicare', 'Lake Medicaid'])[1 + patient::int %% 3], '--------',
    case when kind in ('paid', 'billed', 'left off', 'hold', 'drop', 'credit') then price end,
    case when kind = 'paid' then round(price * 0.6) end, case when kind = 'paid' then 0 end,
    case when kind = 'cancelled' then 'cancelled' else '' end  -- so that D8 counts alike at the first judging and later
from plan order by i;

analyze records_encounter;
analyze records_claim;
analyze correlation_visit;

insert into correlation_link (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
select v.practice_id, 'appointment', v.anchor_id, v.id, 'linked', 'anchor', 1, '{}', now()
from correlation_visit v where v.practice_id = %(practice)s and v.anchor = 'appointment' order by v.id;

insert into correlation_link (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
select e.practice_id, 'encounter', e.external_id, v.id, 'linked', 'id', 1, '{}', now()
from records_encounter e join correlation_visit v on v.practice_id = e.practice_id
  and v.anchor = case e.appointment_id when '' then 'encounter' else 'appointment' end
  and v.anchor_id = case e.appointment_id when '' then e.external_id else e.appointment_id end
where e.practice_id = %(practice)s order by v.id;

insert into correlation_link (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
select c.practice_id, 'claim', c.external_id, v.id, 'linked', 'id', 1, '{}', now()
from records_claim c join correlation_visit v on v.practice_id = c.practice_id and v.anchor = 'appointment'
  and v.anchor_id = c.appointment_id
where c.practice_id = %(practice)s order by v.id;

-- One claim in a thousand waits for a person: its two candidates are visits without a claim.
insert into correlation_link (practice_id, kind, record_id, state, method, score, evidence, linked_at)
select %(practice)s, 'claim', 'r' || id, 'review', 'scored', 0.5, jsonb_build_object('candidates', jsonb_build_array(
    jsonb_build_object('visit_id', id), jsonb_build_object('visit_id', id + 1))), now()
from correlation_visit where practice_id = %(practice)s and charges is null and id %% 150 = 0;

drop table plan;
