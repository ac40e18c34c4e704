mod drafts;
mod measure;
