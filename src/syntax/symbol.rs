//! A name for people for what a rule of the grammar stands for. The match is exhaustive: a new rule does not compile
//! without one.

use super::parser::Rule;

/// Returns what was expected where `tried` failed, if one thing stands out.
pub(super) fn expectation(tried: &[Rule]) -> Option<&'static str> {
    tried.iter().filter_map(|&rule| symbol(rule)).min_by_key(|&(rank, _)| rank).map(|(_, name)| name)
}

/// Returns how telling a rule is, 0 for the most, and its name; none for rules that tell nothing.
fn symbol(rule: Rule) -> Option<(u8, &'static str)> {
    Some(match rule {
        Rule::need_colon => (0, "`:`"),
        Rule::need_equals => (0, "`=`"),
        Rule::need_open => (0, "`{`"),
        Rule::need_field => (0, "a field or `}`"),
        Rule::need_clause => (0, "a clause or `}`"),
        Rule::need_comma => (0, "a comma or the closing bracket"),
        Rule::need_paren => (0, "`)`"),
        Rule::need_angle => (0, "a comma or `>`"),
        Rule::need_in => (0, "`in`"),
        Rule::need_at => (0, "`at`"),
        Rule::need_every => (0, "`every`"),
        Rule::need_for => (0, "`for`"),
        Rule::need_event => (0, "`event`"),
        Rule::need_rerun => (0, "`always` or `when`"),
        Rule::need_deploy => (0, "`direct` or `ask`"),
        Rule::need_previous => (0, "`previous`"),
        Rule::need_after => (0, "`after`"),
        Rule::need_window => (0, "`consecutive`, `total` or `of`"),
        Rule::need_trigger => (0, "a kind of trigger"),
        Rule::need_from => (0, "`from`"),
        Rule::need_interp => (0, "`}`"),
        Rule::expr | Rule::grouped | Rule::named | Rule::number | Rule::list => (1, "a value"),
        Rule::ty => (1, "a type"),
        Rule::range | Rule::bound | Rule::upper => (2, "a number"),
        Rule::key | Rule::field | Rule::type_field => (3, "a name"),
        Rule::column => (3, "a column"),
        Rule::metric => (3, "a metric"),
        Rule::record => (4, "`{`"),
        Rule::names | Rule::offers => (4, "`{`"),
        Rule::offered_profile => (6, "`profile:`"),
        Rule::quoted | Rule::string | Rule::raw_quoted | Rule::raw_block | Rule::raw_line => (5, "a string"),
        Rule::word => (6, "a name"),
        Rule::code_name => (6, "the code of a warning"),
        Rule::blank
        | Rule::sp
        | Rule::prefix_sign
        | Rule::postfix_sign
        | Rule::range_sign
        | Rule::closing_sign
        | Rule::comment
        | Rule::remark
        | Rule::colon
        | Rule::equals
        | Rule::open_brace
        | Rule::close_record
        | Rule::close_body
        | Rule::close_list
        | Rule::close_call
        | Rule::close_paren
        | Rule::close_angle
        | Rule::end
        | Rule::need_end
        | Rule::text
        | Rule::escape
        | Rule::interp
        | Rule::close_interp
        | Rule::tag
        | Rule::line
        | Rule::closing
        | Rule::prefix
        | Rule::infix
        | Rule::logic
        | Rule::between
        | Rule::primary
        | Rule::paren
        | Rule::postfix
        | Rule::member
        | Rule::call
        | Rule::index
        | Rule::pointer
        | Rule::optional
        | Rule::arg
        | Rule::star
        | Rule::range_tail
        | Rule::less
        | Rule::more
        | Rule::minus
        | Rule::type_in
        | Rule::type_named
        | Rule::type_enum
        | Rule::type_list
        | Rule::type_record
        | Rule::type_paren
        | Rule::pipeline
        | Rule::edition
        | Rule::on
        | Rule::trigger
        | Rule::on_record
        | Rule::on_word
        | Rule::on_manual
        | Rule::on_call
        | Rule::on_event
        | Rule::constant
        | Rule::param
        | Rule::param_from
        | Rule::at_word
        | Rule::value
        | Rule::secret
        | Rule::binding
        | Rule::binding_word
        | Rule::settings
        | Rule::settings_word
        | Rule::need_record
        | Rule::schema
        | Rule::column_part
        | Rule::unique
        | Rule::matches
        | Rule::metrics
        | Rule::metric_part
        | Rule::direction
        | Rule::metric_from
        | Rule::metric_unit
        | Rule::percent
        | Rule::metric_n
        | Rule::from_word
        | Rule::source
        | Rule::frozen
        | Rule::profile
        | Rule::profile_clause
        | Rule::set_clause
        | Rule::releases_clause
        | Rule::gates_clause
        | Rule::use_item
        | Rule::need_names
        | Rule::external
        | Rule::event_word
        | Rule::allow_item
        | Rule::allow
        | Rule::stage
        | Rule::action
        | Rule::gate
        | Rule::rollout
        | Rule::monitor
        | Rule::experiment
        | Rule::decision
        | Rule::decision_word
        | Rule::part
        | Rule::after_part
        | Rule::when_part
        | Rule::for_part
        | Rule::loop_part
        | Rule::in_word
        | Rule::of_part
        | Rule::on_part
        | Rule::evidence
        | Rule::alias
        | Rule::to_part
        | Rule::by_part
        | Rule::with_part
        | Rule::ungated_part
        | Rule::stage_body
        | Rule::stage_clause
        | Rule::in_clause
        | Rule::input
        | Rule::ungated
        | Rule::out_clause
        | Rule::out_part
        | Rule::over_part
        | Rule::as_part
        | Rule::always
        | Rule::run_clause
        | Rule::runnable
        | Rule::script
        | Rule::code_clause
        | Rule::use_clause
        | Rule::needs_clause
        | Rule::timeout_clause
        | Rule::retry_clause
        | Rule::retry_on
        | Rule::rerun_clause
        | Rule::runtime_clause
        | Rule::secret_clause
        | Rule::secret_use
        | Rule::status_clause
        | Rule::checkpoint_clause
        | Rule::credentials_clause
        | Rule::inputs_clause
        | Rule::isolation_clause
        | Rule::pass_env_clause
        | Rule::permissions_clause
        | Rule::environment_clause
        | Rule::idempotent_clause
        | Rule::gate_body
        | Rule::gate_clause
        | Rule::require_clause
        | Rule::warn_clause
        | Rule::against
        | Rule::baseline_clause
        | Rule::recorded
        | Rule::on_clause
        | Rule::reaction
        | Rule::ask
        | Rule::emit
        | Rule::notify
        | Rule::setting_clause
        | Rule::setting_word
        | Rule::rollout_body
        | Rule::rollout_clause
        | Rule::step_clause
        | Rule::step_for
        | Rule::hook_clause
        | Rule::hook_word
        | Rule::watch_clause
        | Rule::every_word
        | Rule::watch_part
        | Rule::fail_clause
        | Rule::after_word
        | Rule::window
        | Rule::consecutive
        | Rule::total
        | Rule::service_clause
        | Rule::promote_clause
        | Rule::keep_clause
        | Rule::previous_word
        | Rule::for_word
        | Rule::first_clause
        | Rule::direct
        | Rule::monitor_body
        | Rule::monitor_clause
        | Rule::every_clause
        | Rule::cooldown_clause
        | Rule::experiment_body
        | Rule::experiment_clause
        | Rule::arm_clause => return None,
    })
}
