/*
 * board.ts - the type of conf/monitoring/grafana-dashboard.json: Grafana's own
 * types, with those of the kinds of panels that are in it. build/dashboard/check
 * makes a JSON schema of it.
 */
import type { Dashboard, FieldConfig, FieldConfigSource, Panel }
    from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type { Options as StatOptions }
    from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type { Options as TableOptions, FieldConfig as TableField }
    from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type { Options as SeriesOptions, FieldConfig as SeriesField }
    from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

/* What is left out has Grafana's default. */
type Some<T> = T extends (infer E)[] ? Some<E>[]
    : T extends object ? { [K in keyof T]?: Some<T[K]> } : T;

/* A query to Prometheus, of which Grafana publishes no type. */
interface Query {
    refId: string;
    datasource: { type: 'prometheus'; uid: string };
    expr: string;
    legendFormat: string;
    format: 'time_series' | 'table' | 'heatmap';
    instant: boolean;
    range: boolean;
}

interface PanelOf<Type extends string, Options, Field>
    extends Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
    type: Type;
    options: Some<Options>;
    fieldConfig: {
        defaults: Omit<FieldConfig, 'custom'> & { custom?: Some<Field> };
        overrides: FieldConfigSource['overrides'];
    };
    targets: Query[];
}

export interface Board extends Omit<Dashboard, 'panels'> {
    panels: (PanelOf<'stat', StatOptions, {}>
        | PanelOf<'table', TableOptions, TableField>
        | PanelOf<'timeseries', SeriesOptions, SeriesField>)[];
}
