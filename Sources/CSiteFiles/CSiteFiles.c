// The files of the pages (Sources/Site/Resources) and the published schemas (docs/schemas) as bytes of the program, so that it
// stays one executable. A file that is added there is added here, in two places; SiteTests compares both.
#include "CSiteFiles.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_schemas_policy_json[] = {
#embed "../../docs/schemas/policy.schema.json"
};
static const unsigned char file_schemas_service_json[] = {
#embed "../../docs/schemas/service.schema.json"
};
static const unsigned char file_schemas_source_json[] = {
#embed "../../docs/schemas/source.schema.json"
};
static const unsigned char file_about_mustache[] = {
#embed "../Site/Resources/about.mustache"
};
static const unsigned char file_account_mustache[] = {
#embed "../Site/Resources/account.mustache"
};
static const unsigned char file_boot_mustache[] = {
#embed "../Site/Resources/boot.mustache"
};
static const unsigned char file_case_mustache[] = {
#embed "../Site/Resources/case.mustache"
};
static const unsigned char file_code_mustache[] = {
#embed "../Site/Resources/code.mustache"
};
static const unsigned char file_css_base_css[] = {
#embed "../Site/Resources/css/base.css"
};
static const unsigned char file_css_explore_css[] = {
#embed "../Site/Resources/css/explore.css"
};
static const unsigned char file_css_map_css[] = {
#embed "../Site/Resources/css/map.css"
};
static const unsigned char file_css_measure_css[] = {
#embed "../Site/Resources/css/measure.css"
};
static const unsigned char file_css_pages_css[] = {
#embed "../Site/Resources/css/pages.css"
};
static const unsigned char file_css_report_css[] = {
#embed "../Site/Resources/css/report.css"
};
static const unsigned char file_data_mustache[] = {
#embed "../Site/Resources/data.mustache"
};
static const unsigned char file_desk_mustache[] = {
#embed "../Site/Resources/desk.mustache"
};
static const unsigned char file_deskcase_mustache[] = {
#embed "../Site/Resources/deskcase.mustache"
};
static const unsigned char file_deskmeasure_mustache[] = {
#embed "../Site/Resources/deskmeasure.mustache"
};
static const unsigned char file_deskmeasures_mustache[] = {
#embed "../Site/Resources/deskmeasures.mustache"
};
static const unsigned char file_erase_mustache[] = {
#embed "../Site/Resources/erase.mustache"
};
static const unsigned char file_error_mustache[] = {
#embed "../Site/Resources/error.mustache"
};
static const unsigned char file_explore_mustache[] = {
#embed "../Site/Resources/explore.mustache"
};
static const unsigned char file_factor_mustache[] = {
#embed "../Site/Resources/factor.mustache"
};
static const unsigned char file_figures_mustache[] = {
#embed "../Site/Resources/figures.mustache"
};
static const unsigned char file_head_mustache[] = {
#embed "../Site/Resources/head.mustache"
};
static const unsigned char file_header_mustache[] = {
#embed "../Site/Resources/header.mustache"
};
static const unsigned char file_icon_svg[] = {
#embed "../Site/Resources/icon.svg"
};
static const unsigned char file_js_api_js[] = {
#embed "../Site/Resources/js/api.js"
};
static const unsigned char file_js_axis_js[] = {
#embed "../Site/Resources/js/axis.js"
};
static const unsigned char file_js_boot_js[] = {
#embed "../Site/Resources/js/boot.js"
};
static const unsigned char file_js_chart_js[] = {
#embed "../Site/Resources/js/chart.js"
};
static const unsigned char file_js_controls_js[] = {
#embed "../Site/Resources/js/controls.js"
};
static const unsigned char file_js_desk_page_js[] = {
#embed "../Site/Resources/js/desk-page.js"
};
static const unsigned char file_js_dom_js[] = {
#embed "../Site/Resources/js/dom.js"
};
static const unsigned char file_js_dots_js[] = {
#embed "../Site/Resources/js/dots.js"
};
static const unsigned char file_js_explore_charts_js[] = {
#embed "../Site/Resources/js/explore-charts.js"
};
static const unsigned char file_js_explore_data_js[] = {
#embed "../Site/Resources/js/explore-data.js"
};
static const unsigned char file_js_explore_figures_js[] = {
#embed "../Site/Resources/js/explore-figures.js"
};
static const unsigned char file_js_explore_marks_js[] = {
#embed "../Site/Resources/js/explore-marks.js"
};
static const unsigned char file_js_explore_page_js[] = {
#embed "../Site/Resources/js/explore-page.js"
};
static const unsigned char file_js_explore_picker_map_js[] = {
#embed "../Site/Resources/js/explore-picker-map.js"
};
static const unsigned char file_js_explore_picker_js[] = {
#embed "../Site/Resources/js/explore-picker.js"
};
static const unsigned char file_js_explore_picture_js[] = {
#embed "../Site/Resources/js/explore-picture.js"
};
static const unsigned char file_js_explore_plot_js[] = {
#embed "../Site/Resources/js/explore-plot.js"
};
static const unsigned char file_js_explore_state_js[] = {
#embed "../Site/Resources/js/explore-state.js"
};
static const unsigned char file_js_explore_time_js[] = {
#embed "../Site/Resources/js/explore-time.js"
};
static const unsigned char file_js_feed_js[] = {
#embed "../Site/Resources/js/feed.js"
};
static const unsigned char file_js_in_view_js[] = {
#embed "../Site/Resources/js/in-view.js"
};
static const unsigned char file_js_layers_js[] = {
#embed "../Site/Resources/js/layers.js"
};
static const unsigned char file_js_map_page_js[] = {
#embed "../Site/Resources/js/map-page.js"
};
static const unsigned char file_js_measure_page_js[] = {
#embed "../Site/Resources/js/measure-page.js"
};
static const unsigned char file_js_outlines_js[] = {
#embed "../Site/Resources/js/outlines.js"
};
static const unsigned char file_js_panel_js[] = {
#embed "../Site/Resources/js/panel.js"
};
static const unsigned char file_js_place_field_js[] = {
#embed "../Site/Resources/js/place-field.js"
};
static const unsigned char file_js_places_js[] = {
#embed "../Site/Resources/js/places.js"
};
static const unsigned char file_js_preferences_js[] = {
#embed "../Site/Resources/js/preferences.js"
};
static const unsigned char file_js_report_page_js[] = {
#embed "../Site/Resources/js/report-page.js"
};
static const unsigned char file_js_report_waiting_js[] = {
#embed "../Site/Resources/js/report-waiting.js"
};
static const unsigned char file_js_scale_js[] = {
#embed "../Site/Resources/js/scale.js"
};
static const unsigned char file_js_search_js[] = {
#embed "../Site/Resources/js/search.js"
};
static const unsigned char file_js_shapes_js[] = {
#embed "../Site/Resources/js/shapes.js"
};
static const unsigned char file_js_state_js[] = {
#embed "../Site/Resources/js/state.js"
};
static const unsigned char file_js_status_js[] = {
#embed "../Site/Resources/js/status.js"
};
static const unsigned char file_js_table_page_js[] = {
#embed "../Site/Resources/js/table-page.js"
};
static const unsigned char file_js_text_page_js[] = {
#embed "../Site/Resources/js/text-page.js"
};
static const unsigned char file_js_text_js[] = {
#embed "../Site/Resources/js/text.js"
};
static const unsigned char file_js_timebar_js[] = {
#embed "../Site/Resources/js/timebar.js"
};
static const unsigned char file_js_words_js[] = {
#embed "../Site/Resources/js/words.js"
};
static const unsigned char file_map_mustache[] = {
#embed "../Site/Resources/map.mustache"
};
static const unsigned char file_measure_mustache[] = {
#embed "../Site/Resources/measure.mustache"
};
static const unsigned char file_measures_mustache[] = {
#embed "../Site/Resources/measures.mustache"
};
static const unsigned char file_report_mustache[] = {
#embed "../Site/Resources/report.mustache"
};
static const unsigned char file_services_mustache[] = {
#embed "../Site/Resources/services.mustache"
};
static const unsigned char file_setup_mustache[] = {
#embed "../Site/Resources/setup.mustache"
};
static const unsigned char file_signin_mustache[] = {
#embed "../Site/Resources/signin.mustache"
};
static const unsigned char file_sources_mustache[] = {
#embed "../Site/Resources/sources.mustache"
};
static const unsigned char file_table_mustache[] = {
#embed "../Site/Resources/table.mustache"
};
static const unsigned char file_text_ar_json[] = {
#embed "../Site/Resources/text/ar.json"
};
static const unsigned char file_text_en_json[] = {
#embed "../Site/Resources/text/en.json"
};
static const unsigned char file_text_es_json[] = {
#embed "../Site/Resources/text/es.json"
};
static const unsigned char file_text_fr_json[] = {
#embed "../Site/Resources/text/fr.json"
};
static const unsigned char file_text_units_json[] = {
#embed "../Site/Resources/text/units.json"
};
static const unsigned char file_tokens_mustache[] = {
#embed "../Site/Resources/tokens.mustache"
};

#define FILE_ENTRY(path, bytes) { path, bytes, sizeof bytes }

static const conurb_site_file files[] = {
    FILE_ENTRY("about.mustache", file_about_mustache),
    FILE_ENTRY("account.mustache", file_account_mustache),
    FILE_ENTRY("boot.mustache", file_boot_mustache),
    FILE_ENTRY("case.mustache", file_case_mustache),
    FILE_ENTRY("code.mustache", file_code_mustache),
    FILE_ENTRY("css/base.css", file_css_base_css),
    FILE_ENTRY("css/explore.css", file_css_explore_css),
    FILE_ENTRY("css/map.css", file_css_map_css),
    FILE_ENTRY("css/measure.css", file_css_measure_css),
    FILE_ENTRY("css/pages.css", file_css_pages_css),
    FILE_ENTRY("css/report.css", file_css_report_css),
    FILE_ENTRY("data.mustache", file_data_mustache),
    FILE_ENTRY("desk.mustache", file_desk_mustache),
    FILE_ENTRY("deskcase.mustache", file_deskcase_mustache),
    FILE_ENTRY("deskmeasure.mustache", file_deskmeasure_mustache),
    FILE_ENTRY("deskmeasures.mustache", file_deskmeasures_mustache),
    FILE_ENTRY("erase.mustache", file_erase_mustache),
    FILE_ENTRY("error.mustache", file_error_mustache),
    FILE_ENTRY("explore.mustache", file_explore_mustache),
    FILE_ENTRY("factor.mustache", file_factor_mustache),
    FILE_ENTRY("figures.mustache", file_figures_mustache),
    FILE_ENTRY("head.mustache", file_head_mustache),
    FILE_ENTRY("header.mustache", file_header_mustache),
    FILE_ENTRY("icon.svg", file_icon_svg),
    FILE_ENTRY("js/api.js", file_js_api_js),
    FILE_ENTRY("js/axis.js", file_js_axis_js),
    FILE_ENTRY("js/boot.js", file_js_boot_js),
    FILE_ENTRY("js/chart.js", file_js_chart_js),
    FILE_ENTRY("js/controls.js", file_js_controls_js),
    FILE_ENTRY("js/desk-page.js", file_js_desk_page_js),
    FILE_ENTRY("js/dom.js", file_js_dom_js),
    FILE_ENTRY("js/dots.js", file_js_dots_js),
    FILE_ENTRY("js/explore-charts.js", file_js_explore_charts_js),
    FILE_ENTRY("js/explore-data.js", file_js_explore_data_js),
    FILE_ENTRY("js/explore-figures.js", file_js_explore_figures_js),
    FILE_ENTRY("js/explore-marks.js", file_js_explore_marks_js),
    FILE_ENTRY("js/explore-page.js", file_js_explore_page_js),
    FILE_ENTRY("js/explore-picker-map.js", file_js_explore_picker_map_js),
    FILE_ENTRY("js/explore-picker.js", file_js_explore_picker_js),
    FILE_ENTRY("js/explore-picture.js", file_js_explore_picture_js),
    FILE_ENTRY("js/explore-plot.js", file_js_explore_plot_js),
    FILE_ENTRY("js/explore-state.js", file_js_explore_state_js),
    FILE_ENTRY("js/explore-time.js", file_js_explore_time_js),
    FILE_ENTRY("js/feed.js", file_js_feed_js),
    FILE_ENTRY("js/in-view.js", file_js_in_view_js),
    FILE_ENTRY("js/layers.js", file_js_layers_js),
    FILE_ENTRY("js/map-page.js", file_js_map_page_js),
    FILE_ENTRY("js/measure-page.js", file_js_measure_page_js),
    FILE_ENTRY("js/outlines.js", file_js_outlines_js),
    FILE_ENTRY("js/panel.js", file_js_panel_js),
    FILE_ENTRY("js/place-field.js", file_js_place_field_js),
    FILE_ENTRY("js/places.js", file_js_places_js),
    FILE_ENTRY("js/preferences.js", file_js_preferences_js),
    FILE_ENTRY("js/report-page.js", file_js_report_page_js),
    FILE_ENTRY("js/report-waiting.js", file_js_report_waiting_js),
    FILE_ENTRY("js/scale.js", file_js_scale_js),
    FILE_ENTRY("js/search.js", file_js_search_js),
    FILE_ENTRY("js/shapes.js", file_js_shapes_js),
    FILE_ENTRY("js/state.js", file_js_state_js),
    FILE_ENTRY("js/status.js", file_js_status_js),
    FILE_ENTRY("js/table-page.js", file_js_table_page_js),
    FILE_ENTRY("js/text-page.js", file_js_text_page_js),
    FILE_ENTRY("js/text.js", file_js_text_js),
    FILE_ENTRY("js/timebar.js", file_js_timebar_js),
    FILE_ENTRY("js/words.js", file_js_words_js),
    FILE_ENTRY("map.mustache", file_map_mustache),
    FILE_ENTRY("measure.mustache", file_measure_mustache),
    FILE_ENTRY("measures.mustache", file_measures_mustache),
    FILE_ENTRY("report.mustache", file_report_mustache),
    FILE_ENTRY("schemas/policy.json", file_schemas_policy_json),
    FILE_ENTRY("schemas/service.json", file_schemas_service_json),
    FILE_ENTRY("schemas/source.json", file_schemas_source_json),
    FILE_ENTRY("services.mustache", file_services_mustache),
    FILE_ENTRY("setup.mustache", file_setup_mustache),
    FILE_ENTRY("signin.mustache", file_signin_mustache),
    FILE_ENTRY("sources.mustache", file_sources_mustache),
    FILE_ENTRY("table.mustache", file_table_mustache),
    FILE_ENTRY("text/ar.json", file_text_ar_json),
    FILE_ENTRY("text/en.json", file_text_en_json),
    FILE_ENTRY("text/es.json", file_text_es_json),
    FILE_ENTRY("text/fr.json", file_text_fr_json),
    FILE_ENTRY("text/units.json", file_text_units_json),
    FILE_ENTRY("tokens.mustache", file_tokens_mustache),
};

size_t conurb_site_file_count(void) { return sizeof files / sizeof files[0]; }
conurb_site_file conurb_site_file_at(size_t index) { return files[index]; }
