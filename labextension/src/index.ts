import { backends } from './panels/backends';
import { budgets } from './panels/budgets';
import { jobs } from './panels/jobs';
import { again } from './plugins/again';
import { card } from './plugins/card';
import { client } from './plugins/client';
import { sidebar } from './plugins/sidebar';
import { viewer } from './plugins/viewer';

const panels = [jobs, budgets, backends];

export default [client, again, card, viewer, sidebar(panels)];
