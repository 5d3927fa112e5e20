//! `zhulian rules calendar`: the next version of a pack with a calendar of working days, ready to be published.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use zhulian_rules::{calendar::Calendar as Days, temporal::Date};

use super::source::read_file;
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    report::Report,
    text,
    text::Text,
};

/// Options of `rules calendar`.
#[derive(Args, Debug)]
pub struct Calendar {
    /// The pack whose calendar goes on, such as scenarios/packs/working-days/pack.json (现有日历规则包 pack.json)
    pub pack: PathBuf,
    /// The State Council's notice of the year's days off, as plain text (国务院办公厅放假安排通知的文本文件)
    #[arg(long, value_name = "FILE")]
    pub notice: Option<PathBuf>,
    /// Where the new version is written (新版本的输出目录)
    #[arg(long, value_name = "DIRECTORY")]
    pub out: PathBuf,
}

fn unfit(code: &'static str, text: Text) -> Failure {
    Failure::new(Exit::Usage, code, text)
}

/// Writes the pack and its calendar with a year more. Without the notice the calendar has lines to be filled in, and is not accepted
/// before they are.
///
/// # Errors
/// When the pack has no calendar, or the notice cannot be read.
pub fn run(args: &Calendar) -> Result<Report> {
    let mut pack: Value = serde_json::from_slice(&read_file(&args.pack)?)
        .map_err(|error| unfit("pack", text!("不是规则包说明：{error}", "not a pack: {error}")))?;
    let files = pack["files"].as_array().cloned().unwrap_or_default();
    let file = files.iter().find(|file| file["kind"] == "calendar").and_then(|file| file["file"].as_str());
    let file =
        file.ok_or_else(|| unfit("pack", Text::fixed("该规则包没有工作日历", "the pack has no calendar")))?.to_owned();
    // A calendar of another pack goes on there, and nothing is written beside the directory that was named.
    if Path::new(&file).components().ne([Component::Normal(file.as_ref())]) {
        let other = args.pack.with_file_name(&file).with_file_name("pack.json");
        let other = other.display();
        return Err(unfit(
            "borrowed",
            text!("该规则包借用另一规则包的日历 {file}", "the pack borrows the calendar of another one, {file}"),
        )
        .next(text!(
            "请为该规则包生成新版本：zhulian rules calendar {other}",
            "write the next version of that one: zhulian rules calendar {other}"
        )));
    }
    let old = text_of(&args.pack.with_file_name(&file))?;
    let (first, last) = Days::parse(&old)
        .map_err(|error| unfit("calendar", text!("现有日历有误：{error}", "the calendar is out of form: {error}")))?
        .bounds();
    let year = last.year() + 1;
    let added = match &args.notice {
        Some(path) => days_off(&text_of(path)?, year)?,
        None => template(year),
    };
    let mut new = String::new();
    let (span, longer) = (format!("–{}", last.year()), format!("–{year}"));
    for line in old.lines() {
        new.push_str(&match line {
            _ if line.starts_with("covers ") => format!("covers {first} {year}-12-31\n"),
            _ if line.starts_with('#') => line.replace(&span, &longer) + "\n",
            _ => format!("{line}\n"),
        });
    }
    new.push_str(&added);
    if args.notice.is_some() {
        // What was read out of the notice fits the form, or is not written.
        Days::parse(&new).map_err(|error| unfit("notice", text!("通知内容有误：{error}", "the notice: {error}")))?;
    }
    let version = pack["version"].as_u64().unwrap_or(0) + 1;
    pack["version"] = json!(version);
    pack["effective_from"] = json!(format!("{year}-01-01T00:00:00+08:00"));
    for place in ["/title/zh", "/title/en", "/statute"] {
        if let Some(text) = pack.pointer_mut(place)
            && let Some(old) = text.as_str()
        {
            *text = json!(old.replace(&last.year().to_string(), &year.to_string()));
        }
    }
    std::fs::create_dir_all(&args.out).at(&args.out)?;
    let description = args.out.join("pack.json");
    for (path, bytes) in
        [(description.clone(), serde_json::to_string_pretty(&pack).unwrap_or_default() + "\n"), (args.out.join(&file), new)]
    {
        std::fs::write(&path, bytes).at(&path)?;
    }
    let shown = description.display();
    let count = added.lines().filter(|line| !line.starts_with('#')).count();
    let report = match args.notice {
        Some(_) => Report::new(
            text!(
                "已生成第 {version} 版：{year} 年与平常周历不同的 {count} 天。请与通知逐日核对。",
                "Version {version} is written, with {count} days of {year} that differ from the plain week. Compare them with the notice."
            ),
            json!({ "pack": shown.to_string(), "version": version, "year": year, "days": count }),
        ),
        None => Report::new(
            text!(
                "已生成第 {version} 版的模板：请按 {year} 年放假安排填写 {file} 中的日期，填完前不会被接受。",
                "A template of version {version} is written: fill in the dates of {year} in {file}; before that it is not accepted."
            ),
            json!({ "pack": shown.to_string(), "version": version, "year": year, "days": 0 }),
        ),
    };
    Ok(report.next(text!("检查：zhulian rules check {shown}", "To check it: zhulian rules check {shown}")).next(text!(
        "发布并提请表决：zhulian rules publish {shown}",
        "To put it to the vote: zhulian rules publish {shown}"
    )))
}

fn text_of(path: &Path) -> Result<String> {
    let shown = path.display();
    String::from_utf8(read_file(path)?)
        .map_err(|_| unfit("file", text!("{shown} 不是 UTF-8 文本", "{shown} is not UTF-8 text")))
}

/// Lines to be filled in: the festivals of the law (《全国年节及纪念日放假办法》), in the order of the year.
fn template(year: i32) -> String {
    let mut lines = format!("# {year}：按国务院办公厅通知填写日期；off 为放假，work 为周末上班；一天一行，按日期先后。\n");
    for festival in ["元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"] {
        lines.push_str(&format!("off {year}-MM-DD {festival}\nwork {year}-MM-DD {festival}\n"));
    }
    lines
}

/// The days of a notice that differ from the plain week, in order. Each festival is a paragraph such as
/// 「一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。」
fn days_off(notice: &str, year: i32) -> Result<String> {
    let wrong =
        |line: &str| unfit("notice", text!("不能从通知读出日期：{line}", "no dates can be read from the notice: {line}"));
    if !notice.contains(&format!("{year}年")) {
        return Err(unfit("notice", text!("这不是 {year} 年的通知", "this is not the notice of {year}")));
    }
    let mut days: Vec<(Date, bool, String)> = Vec::new();
    let numerals = ['一', '二', '三', '四', '五', '六', '七', '八', '九'];
    for line in notice.lines().map(str::trim) {
        let Some((number, rest)) = line.split_once('、') else { continue };
        let Some((festival, rest)) = rest.split_once(['：', ':']).filter(|_| number.chars().all(|c| numerals.contains(&c)))
        else {
            continue;
        };
        let mut any = false;
        for clause in rest.split(['。', '；', '，', ',']) {
            let off = clause.contains("放假") || clause.contains("补休");
            if !off && !clause.contains("上班") {
                continue;
            }
            let named = dates(clause, year).filter(|named| !named.is_empty()).ok_or_else(|| wrong(line))?;
            any |= off;
            days.extend(named.into_iter().map(|day| (day, !off, festival.trim().to_owned())));
        }
        if !any {
            return Err(wrong(line));
        }
    }
    if days.is_empty() {
        return Err(wrong(""));
    }
    days.sort();
    let mut lines = format!("# {year}\n");
    for (day, works, festival) in days {
        lines.push_str(&format!("{} {day} {festival}\n", if works { "work" } else { "off" }));
    }
    Ok(lines)
}

/// The days that a clause names: 「1月1日（周四）至3日（周六）」，「2月14日（周六）、2月28日（周六）」; `None` where one is no date.
fn dates(clause: &str, year: i32) -> Option<Vec<Date>> {
    let mut days: Vec<Date> = Vec::new();
    let (mut digits, mut month, mut through) = (String::new(), None, false);
    let mut bracket = 0;
    for letter in clause.chars() {
        match letter {
            '（' | '(' => bracket += 1,
            '）' | ')' => bracket -= 1,
            _ if bracket > 0 => {}
            '0'..='9' => digits.push(letter),
            '月' => month = Some(std::mem::take(&mut digits).parse::<u32>().ok()?),
            '至' => through = true,
            '日' if !digits.is_empty() => {
                let day = Date::parse(&format!("{year:04}-{:02}-{:0>2}", month?, std::mem::take(&mut digits)))?;
                if std::mem::take(&mut through) {
                    let from = days.last()?.days() + 1;
                    days.extend((from..day.days()).filter_map(Date::from_days));
                }
                days.push(day);
            }
            _ => {}
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 国务院办公厅关于2026年部分节假日安排的通知 (4 November 2025), the part that orders.
    const NOTICE_2026: &str = "
        经国务院批准，现将2026年元旦、春节、清明节、劳动节、端午节、中秋节和国庆节放假调休日期的具体安排通知如下。
        一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
        二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
        三、清明节：4月4日（周六）至6日（周一）放假，共3天。
        四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
        五、端午节：6月19日（周五）至21日（周日）放假，共3天。
        六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
        七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。";

    #[test]
    fn the_notice_of_2026_gives_the_calendar_of_2026() {
        let pack = include_str!("../../../../../scenarios/packs/working-days/working-days.calendar");
        let of_2026 = |line: &&str| line.split(' ').nth(1).is_some_and(|day| day.starts_with("2026-"));
        // The list that was taken over writes 清明 where the notice has 清明节.
        let days = |text: &str| -> Vec<String> {
            text.lines().filter(of_2026).map(|line| line.rsplit_once(' ').unwrap_or_default().0.to_owned()).collect()
        };
        let read = days(&days_off(NOTICE_2026, 2026).unwrap());
        assert_eq!((read.len(), read), (39, days(pack)));
        assert!(days_off(NOTICE_2026, 2027).is_err());
        assert!(days_off("2026年\n一、元旦：1月1日放假。\n二、春节：放假调休，共9天。", 2026).is_err());
        assert!(days_off("2026年", 2026).is_err());
    }

    #[test]
    fn older_notices_are_read_too() {
        let read =
            days_off("2017年\n一、元旦：1月1日放假，1月2日（星期一）补休。\n五、劳动节：5月1日放假，与周末连休。", 2017);
        assert_eq!(read.unwrap(), "# 2017\noff 2017-01-01 元旦\noff 2017-01-02 元旦\noff 2017-05-01 劳动节\n");
        // Over the end of a month.
        let read =
            days_off("2017年\n二、春节：1月27日至2月2日放假调休，共7天。1月22日（星期日）、2月4日（星期六）上班。", 2017);
        assert_eq!(read.unwrap().lines().count(), 1 + 7 + 2);
    }

    #[test]
    fn a_template_is_not_accepted_before_it_is_filled_in() {
        let calendar = format!("calendar 1\ncovers 2027-01-01 2027-12-31\n{}", template(2027));
        assert!(Days::parse(&calendar).is_err());
    }
}
