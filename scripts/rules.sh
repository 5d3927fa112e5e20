#!/usr/bin/env bash
# Rules and cases with real processes: a pack with its procedure is deployed, voted in, decides and runs a case; its files are fetched
# from a node, and the decision is made again offline with them. Everything stays on 127.0.0.1 and in a temporary directory.
. "$(dirname "$0")/lib.sh" rules "${ZHULIAN_RULES_PORT:-9680}"

say "starting four nodes"
up --no-demo
export ZHULIAN_URL="http://127.0.0.1:$base"

say "deploying a procedure with its pack, in force in ${delay:=90} seconds"
organised() { "$zhulian" --json org list >"$work/out" && grep -q 91339900MA0HL004 "$work/out"; }
until_true 30 organised # the state is readable with the first block
code() { # the code of an organisation of this city that begins so
    sed -n "s/^ *\"uscc\": \"\($1[0-9A-Z]*\)\".*/\1/p" "$work/out" | head -1
}
data="$(code 11339900MA0HL001)" court="$(code 11339900MA0HL002)" bank="$(code 91339900MA0HL004)"
[ -n "$data" ] && [ -n "$court" ] && [ -n "$bank" ] || fail "the organisations have other codes"
cp -r scenarios "$work/scenarios"
pack="$work/scenarios/medical-assistance/pack.json"
bpmn="$work/scenarios/medical-assistance/medical-assistance.bpmn"
# The offices of the procedure are organisations of this city.
sed -i "s/\(name=\"office:[a-z]*\" value=\)\"[^\"]*\"/\1\"$data\"/; s/\(name=\"office:supervision\" value=\)\"[^\"]*\"/\1\"$court\"/" "$bpmn"
# Whenever this runs, the periods of its cases end on days that are known.
sed -i "s/^covers \([0-9-]*\) .*/covers \1 2040-12-31/" "$work/scenarios/packs/working-days/working-days.calendar"
from="$(date -u -d "+$delay seconds" +%Y-%m-%dT%H:%M:%SZ)"
for version in "$pack" "${pack%.json}-2.json"; do
    sed -i "s/\"effective_from\": \"[^\"]*\"/\"effective_from\": \"$from\"/; s/\"notice_days\": [0-9]*/\"notice_days\": 0/" "$version"
done
expect 0 "$zhulian" --json rules check "$pack"
expect 2 "$zhulian" --key data.representative procedure deploy "$bpmn" --pack scenarios/packs/working-days/pack.json
expect 0 "$zhulian" --json --key data.representative procedure deploy "$bpmn"
motion="$(field motion)"
expect 0 "$zhulian" --json rules show medical-assistance
says '"drafts": \['
for who in data court registry bank fund market; do
    expect 0 "$zhulian" --json --key "$who.representative" org vote "$motion" yes
done
expect 0 "$zhulian" --json org motions
says '"status": "executed"'

say "before its time it does not decide, and not without the facts it needs"
facts=(--fact 'Support class="低保"' --fact 'Monthly income per head=900' --fact 'Family assets=1000' --fact 'Family cars=0'
    --fact 'Family yearly income=20000' --fact 'Assisted this year=0')
decide=("$zhulian" --json --key data.officer rules decide medical-assistance Assistance "${facts[@]}")
expect 6 "${decide[@]}" --fact 'Own cost=8000.01'
says 'rulepack.not_in_force'
while [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \< "$from" ]; do sleep 0.5; done
sleep 2
expect 6 "${decide[@]}"
says 'rulepack.fact_missing'
expect 6 "${decide[@]}" --fact 'Own cost=8000.01' --fact 'Yearly cap=1'
says 'rulepack.fact_is_rate'

say "it decides, and anyone decides it again offline"
expect 0 "${decide[@]}" --fact 'Own cost=8000.01'
grep -q '"outcome": "6000.01"' "$work/out" || fail "0.75 × 8000.01 is 6000.01"
id="$(field id)"
expect 0 "$zhulian" --json tx receipt "$id" --output "$work/decision.zlr"

say "its files are fetched from a node, and are the pack itself"
expect 0 "$zhulian" --json rules show medical-assistance
says '"status": "in_force"'
expect 0 "$zhulian" --json rules fetch medical-assistance 1 --to "$work/fetched"
for file in medical-assistance.dmn medical-assistance.bpmn rates.txt documents.txt; do
    cmp "$work/fetched/$file" "$work/scenarios/medical-assistance/$file" || fail "$file is another one"
done
expect 0 "$zhulian" --json rules check "$work/fetched/pack.json"
expect 1 "$zhulian" rules fetch medical-assistance 2
expect 0 "$zhulian" --json --key data.representative rules publish --draft-only "${pack%.json}-2.json"
expect 0 "$zhulian" --json rules fetch medical-assistance 2 --to "$work/draft"
says '"draft": true'
expect 0 "$zhulian" --json rules list
says '"in_force": 1'

say "a case runs through its offices"
officer=("$zhulian" --json --key data.officer)
expect 0 "${officer[@]}" case open medical-assistance/medical-assistance --applicant 'the person of form 42' --opening "$work/42.json"
case="$(field case)"
grep -q '"salt"' "$work/42.json" || fail "the opening is not saved"
expect 0 "$zhulian" --json case list --state open
says "\"id\": \"$case\""
expect 0 "$zhulian" --json case tasks "$data"
says '"element": "accept"'
task="$(field task)"
expect 0 "${officer[@]}" case claim "$case" "$task"
expect 6 "${officer[@]}" case claim "$case" "$task"
says 'procedure.already_claimed'
expect 0 "${officer[@]}" case return "$case" "$task"
printf 'a scan\n' >"$work/scan.txt"
for material in id-card household-authorisation medical-bills insurance-settlement; do
    expect 0 "${officer[@]}" case submit "$case" "$material" --file "$work/scan.txt"
done
expect 0 "${officer[@]}" case complete "$case" "$task" --value 'Support class="低保"' --value 'Own cost=8000.01'
expect 0 "${officer[@]}" case pause "$case" correction
expect 0 "$zhulian" --json case show "$case"
says '"state": "paused"'
expect 0 "${officer[@]}" case resume "$case"
expect 0 "${officer[@]}" case propose-close "$case" withdrawn --reason applicant_need --grounds "$work/scan.txt"
expect 6 "${officer[@]}" case confirm "$case" yes
says 'procedure.same_signer'
expect 0 "$zhulian" --json --key court.officer case confirm "$case" yes
expect 0 "${officer[@]}" case rate "$case" 5
expect 0 "$zhulian" --json case history "$case"
for event in case_opened material_submitted progressed clock_paused override_confirmed case_closed case_rated; do
    says "\"name\": \"$event\""
done
expect 0 "$zhulian" --json case tasks "$data"
! grep -q "$case" "$work/out" || fail "a closed case still has tasks"
expect 0 "$zhulian" --json --url "http://127.0.0.1:$((base + 3))" case list --state withdrawn
says "\"id\": \"$case\""

say "its event log is exported as XES, and replayed on the procedure: it stops where the override ended it"
expect 0 "$zhulian" --json procedure log "$work/cases.xes"
says '"verified": true'
grep -q "<string key=\"concept:name\" value=\"$case\"/>" "$work/cases.xes" || fail "the log lacks the case"
cat >"$work/two.bpmn" <<'XML'
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t"><process id="p"><startEvent id="s"/>
<userTask id="accept"/><userTask id="means"/><endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="accept"/>
<sequenceFlow id="b" sourceRef="accept" targetRef="means"/><sequenceFlow id="c" sourceRef="means" targetRef="e"/></process></definitions>
XML
expect 0 "$zhulian" --json procedure replay "$work/two.bpmn" --log "$work/cases.xes" --picture "$work/cases.svg"
says '"after": "accept"'
says '"fitting": 0'

say "the next year's calendar is written from a notice, and not accepted as a template"
days=scenarios/packs/working-days/pack.json
expect 0 "$zhulian" rules calendar "$days" --out "$work/template"
expect 1 "$zhulian" rules check "$work/template/pack.json"
printf '2027年（演练用，并非通知原文）\n一、元旦：1月1日放假。\n' >"$work/notice.txt"
expect 0 "$zhulian" --json rules calendar "$days" --notice "$work/notice.txt" --out "$work/2027"
says '"days": 1'
expect 0 "$zhulian" rules check "$work/2027/pack.json"

down
say "with the network gone: decided again from the receipt and the fetched files"
expect 0 "$zhulian" --json rules rerun "$work/decision.zlr" --pack "$work/fetched/pack.json"
says '"identical": true'
says '"receipt_verified": true'
expect 5 "$zhulian" rules rerun "$work/decision.zlr" --pack scenarios/medical-assistance/pack.json
say "all steps passed"
